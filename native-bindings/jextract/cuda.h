// cuda.h, with the functions of it that the driver of CUDA 12.4 has too. The header renames some to later versions, which
// only newer drivers export; a driver exports all that earlier headers named.
#include <cuda.h>
#include <cudaProfiler.h>

#undef cuCtxCreate_v2
#undef cuEventElapsedTime
CUresult CUDAAPI cuCtxCreate_v2(CUcontext *context, unsigned int flags, CUdevice device);
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end);
