// NVTX's own headers define every function in place; without that they declare what libnvtx3interop exports.
#define NVTX_NO_IMPL
#include <cuda.h>
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtCuda.h>
