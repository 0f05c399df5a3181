// A CUDA driver without a GPU, for tests: device memory is the host's, work is done when it is asked for, and every call is
// written down with what it was given in the file that FAKE_CUDA_LOG names.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef void *CUhandle;
typedef unsigned long long CUdeviceptr;

static FILE *out;

static int note(const char *format, ...) {
    if (out == NULL && getenv("FAKE_CUDA_LOG") != NULL) out = fopen(getenv("FAKE_CUDA_LOG"), "w");
    if (out != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vfprintf(out, format, arguments);
        va_end(arguments);
        fputc('\n', out);
        fflush(out);
    }
    return 0;
}

CUresult cuInit(unsigned flags) { return getenv("FAKE_CUDA_NONE") != NULL ? 100 : note("cuInit %u", flags); }
CUresult cuDriverGetVersion(int *version) { *version = 12080; return 0; }
CUresult cuGetErrorName(CUresult status, const char **name) {
    *name = status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : status == 100 ? "CUDA_ERROR_NO_DEVICE"
          : status == 200 ? "CUDA_ERROR_INVALID_IMAGE" : status == 500 ? "CUDA_ERROR_NOT_FOUND"
          : status == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : NULL;
    return *name == NULL;
}
CUresult cuGetErrorString(CUresult status, const char **text) {
    *text = status == 2 ? "out of memory" : status == 100 ? "no CUDA-capable device is detected"
          : status == 200 ? "device kernel image is invalid" : status == 500 ? "named symbol not found"
          : status == 700 ? "an illegal memory access was encountered" : NULL;
    return *text == NULL;
}
CUresult cuDeviceGetCount(int *count) { *count = 2; return 0; }
CUresult cuDeviceGet(int *device, int ordinal) { *device = 40 + ordinal; return 0; }
CUresult cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Fake %d", device); return 0; }
// The number of the attribute, so that a wrong one is seen.
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute; return 0; }
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 141ull << 30; return 0; }
CUresult cuDevicePrimaryCtxRetain(CUhandle *context, int device) { *context = (CUhandle)0x1234567890ull; return note("retain %d", device); }
CUresult cuDevicePrimaryCtxRelease_v2(int device) { return note("release %d", device); }
CUresult cuCtxSetCurrent(CUhandle context) { return note("current %p", context); }
CUresult cuMemGetInfo_v2(size_t *free, size_t *total) { *free = 5ull << 32; *total = 6ull << 32; return 0; }
CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
    if (bytes > 1ull << 40) return 2;
    *address = (uintptr_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
    return note("alloc %zu", bytes);
}
CUresult cuMemFree_v2(CUdeviceptr address) { free((void *)(uintptr_t)address); return note("free"); }
CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) { *address = malloc(bytes); return note("pinned %zu %u", bytes, flags); }
CUresult cuMemFreeHost(void *address) { free(address); return note("free pinned"); }
CUresult cuStreamCreate(CUhandle *stream, unsigned flags) { *stream = (CUhandle)0x51ull; return note("stream %u", flags); }
CUresult cuStreamDestroy_v2(CUhandle stream) { return note("destroy stream %p", stream); }
CUresult cuStreamSynchronize(CUhandle stream) { return stream == (CUhandle)0xbadull ? 700 : note("synchronize %p", stream); }
CUresult cuStreamWaitEvent(CUhandle stream, CUhandle event, unsigned flags) { return note("wait %p %p %u", stream, event, flags); }
CUresult cuEventCreate(CUhandle *event, unsigned flags) { *event = (CUhandle)0xe7ull; return note("event %u", flags); }
CUresult cuEventDestroy_v2(CUhandle event) { return note("destroy event %p", event); }
CUresult cuEventRecord(CUhandle event, CUhandle stream) { return note("record %p %p", event, stream); }
CUresult cuEventSynchronize(CUhandle event) { return note("synchronize event %p", event); }
CUresult cuEventElapsedTime(float *milliseconds, CUhandle start, CUhandle end) { *milliseconds = 1.5f; return note("elapsed %p %p", start, end); }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUhandle stream) {
    memcpy((void *)(uintptr_t)to, from, bytes);
    return note("upload %zu %p", bytes, stream);
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUhandle stream) {
    memcpy(to, (void *)(uintptr_t)from, bytes);
    return note("download %zu %p", bytes, stream);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUhandle stream) {
    memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes);
    return note("copy %zu %p", bytes, stream);
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUhandle stream) {
    memset((void *)(uintptr_t)to, value, bytes);
    return note("fill %u %zu %p", value, bytes, stream);
}
CUresult cuModuleLoadDataEx(CUhandle *module, const void *image, unsigned count, int *options, void **values) {
    if (memcmp(image, "\177ELF", 4) != 0) {
        for (unsigned i = 0; i < count; i++) {
            // Options 5 and 6: the buffer of the error log and its size.
            if (options[i] == 5) snprintf(values[i], (size_t)values[i + 1], "not an ELF file");
        }
        return 200;
    }
    *module = (CUhandle)0x30dull;
    return note("module");
}
CUresult cuModuleUnload(CUhandle module) { return note("unload %p", module); }
CUresult cuModuleGetFunction(CUhandle *function, CUhandle module, const char *name) {
    *function = (CUhandle)0xf00ull;
    return strcmp(name, "absent") == 0 ? 500 : note("function %p %s", module, name);
}
CUresult cuFuncSetAttribute(CUhandle function, int attribute, int value) { return note("set %p %d %d", function, attribute, value); }
CUresult cuFuncGetAttribute(int *value, int attribute, CUhandle function) { *value = attribute; return 0; }
CUresult cuLaunchKernel(CUhandle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, CUhandle stream, void **parameters, void **extra) {
    return note("launch %p %u %u %u %u %u %u %u %p %d %g %p", function, gx, gy, gz, bx, by, bz, shared, stream,
                *(int *)parameters[0], *(double *)parameters[1], (void *)extra);
}
CUresult cuStreamBeginCapture_v2(CUhandle stream, int mode) { return note("begin %p %d", stream, mode); }
CUresult cuStreamEndCapture(CUhandle stream, CUhandle *graph) { *graph = (CUhandle)0x6ull; return note("end %p", stream); }
CUresult cuGraphGetNodes(CUhandle graph, CUhandle *nodes, size_t *count) { *count = 7; return note("nodes %p %p", graph, (void *)nodes); }
struct instantiate { uint64_t flags; CUhandle stream; CUhandle node; int result; };
CUresult cuGraphInstantiateWithParams(CUhandle *executable, CUhandle graph, struct instantiate *params) {
    *executable = (CUhandle)0xeecull;
    params->result = graph == (CUhandle)0xbadull ? 3 : 0;
    return note("instantiate %p %llu", graph, (unsigned long long)params->flags);
}
CUresult cuGraphUpload(CUhandle executable, CUhandle stream) { return note("upload graph %p %p", executable, stream); }
CUresult cuGraphLaunch(CUhandle executable, CUhandle stream) { return note("launch graph %p %p", executable, stream); }
CUresult cuGraphDestroy(CUhandle graph) { return note("destroy graph %p", graph); }
CUresult cuGraphExecDestroy(CUhandle executable) { return note("destroy executable %p", executable); }
