package io.kingfisher.nativebindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.cuda.generated.CUDA_GRAPH_INSTANTIATE_PARAMS_st;
import io.kingfisher.nativebindings.cuda.generated.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.charset.StandardCharsets;

/**
 * The CUDA driver's interface, under its C names without the prefix {@code cu}, each status checked. Handles and device
 * addresses are plain numbers. What is called while a program runs is in {@link CudaCalls}.
 */
public final class Cuda {
    private static final int LOG_BYTES = 8192;

    private Cuda() {}

    private interface Call {
        int into(SegmentAllocator scratch, MemorySegment out);
    }

    /**
     * {@code cuInit}: to be called before anything else.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable driver
     * @throws NativeException if there is no GPU, or the driver cannot be started
     */
    public static void init() {
        CudaLibrary.CUDA.load();
        check("cuInit", cuda_h.cuInit(0));
    }

    /** {@code cuDriverGetVersion}: the newest CUDA that the driver supports, such as 13000 for 13.0. */
    public static int driverGetVersion() {
        CudaLibrary.CUDA.load();
        return number("cuDriverGetVersion", (scratch, out) -> cuda_h.cuDriverGetVersion(out));
    }

    /** {@code cuDeviceGetCount}. */
    public static int deviceGetCount() {
        return number("cuDeviceGetCount", (scratch, out) -> cuda_h.cuDeviceGetCount(out));
    }

    /** {@code cuDeviceGet}: the device of a number from 0 on. */
    public static int deviceGet(int ordinal) {
        return number("cuDeviceGet", (scratch, out) -> cuda_h.cuDeviceGet(out, ordinal));
    }

    /** {@code cuDeviceGetName}. */
    public static String deviceGetName(int device) {
        try (var scratch = Arena.ofConfined()) {
            var name = scratch.allocate(256);
            check("cuDeviceGetName", cuda_h.cuDeviceGetName(name, 256, device));
            return name.getString(0);
        }
    }

    /**
     * {@code cuDeviceGetAttribute}.
     *
     * @param attribute such as {@code cuda_h.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT()}
     */
    public static int deviceGetAttribute(int attribute, int device) {
        return number("cuDeviceGetAttribute", (scratch, out) -> cuda_h.cuDeviceGetAttribute(out, attribute, device));
    }

    /** {@code cuDeviceTotalMem_v2}, in bytes. */
    public static long deviceTotalMem(int device) {
        return handle("cuDeviceTotalMem_v2", (scratch, out) -> cuda_h.cuDeviceTotalMem_v2(out, device));
    }

    /** {@code cuDevicePrimaryCtxRetain}: the context that all libraries in this process share. */
    public static long devicePrimaryCtxRetain(int device) {
        return handle("cuDevicePrimaryCtxRetain", (scratch, out) -> cuda_h.cuDevicePrimaryCtxRetain(out, device));
    }

    /** {@code cuDevicePrimaryCtxRelease_v2}. */
    public static void devicePrimaryCtxRelease(int device) {
        check("cuDevicePrimaryCtxRelease_v2", cuda_h.cuDevicePrimaryCtxRelease_v2(device));
    }

    /** {@code cuMemGetInfo_v2}: free and total memory of the current context's device, in bytes. */
    public static long[] memGetInfo() {
        try (var scratch = Arena.ofConfined()) {
            var free = scratch.allocate(JAVA_LONG);
            var total = scratch.allocate(JAVA_LONG);
            check("cuMemGetInfo_v2", cuda_h.cuMemGetInfo_v2(free, total));
            return new long[] {free.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0)};
        }
    }

    /** {@code cuMemAlloc_v2}: device memory, aligned to at least 256 bytes. */
    public static long memAlloc(long bytes) {
        return handle("cuMemAlloc_v2", (scratch, out) -> cuda_h.cuMemAlloc_v2(out, bytes));
    }

    /** {@code cuMemFree_v2}. */
    public static void memFree(long address) {
        check("cuMemFree_v2", cuda_h.cuMemFree_v2(address));
    }

    /**
     * {@code cuMemHostAlloc}: page-locked host memory.
     *
     * @param flags such as {@code cuda_h.CU_MEMHOSTALLOC_PORTABLE()}
     */
    public static long memHostAlloc(long bytes, int flags) {
        return handle("cuMemHostAlloc", (scratch, out) -> cuda_h.cuMemHostAlloc(out, bytes, flags));
    }

    /** {@code cuMemFreeHost}. */
    public static void memFreeHost(MemorySegment memory) {
        check("cuMemFreeHost", cuda_h.cuMemFreeHost(memory));
    }

    /**
     * {@code cuStreamCreate}.
     *
     * @param flags such as {@code cuda_h.CU_STREAM_NON_BLOCKING()}
     */
    public static long streamCreate(int flags) {
        return handle("cuStreamCreate", (scratch, out) -> cuda_h.cuStreamCreate(out, flags));
    }

    /** {@code cuStreamDestroy_v2}. */
    public static void streamDestroy(long stream) {
        check("cuStreamDestroy_v2", cuda_h.cuStreamDestroy_v2(pointer(stream)));
    }

    /**
     * {@code cuEventCreate}.
     *
     * @param flags such as {@code cuda_h.CU_EVENT_DISABLE_TIMING()}
     */
    public static long eventCreate(int flags) {
        return handle("cuEventCreate", (scratch, out) -> cuda_h.cuEventCreate(out, flags));
    }

    /** {@code cuEventDestroy_v2}. */
    public static void eventDestroy(long event) {
        check("cuEventDestroy_v2", cuda_h.cuEventDestroy_v2(pointer(event)));
    }

    /** {@code cuEventElapsedTime}, in milliseconds. */
    public static float eventElapsedTime(long start, long end) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(JAVA_FLOAT);
            check("cuEventElapsedTime", cuda_h.cuEventElapsedTime(out, pointer(start), pointer(end)));
            return out.get(JAVA_FLOAT, 0);
        }
    }

    /**
     * {@code cuModuleLoadDataEx}: loads a cubin into the current context.
     *
     * @param name what the module is, for messages
     * @throws NativeException with what the driver's linker said, if the driver refuses the image
     */
    public static long moduleLoadData(byte[] image, String name) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            var data = scratch.allocate(Math.max(1, image.length), 64);
            MemorySegment.copy(image, 0, data, JAVA_BYTE, 0, image.length);
            var log = scratch.allocate(LOG_BYTES);
            // An option's value is as wide as a pointer, also where it is a number.
            var options = scratch.allocateFrom(
                    JAVA_INT, cuda_h.CU_JIT_ERROR_LOG_BUFFER(), cuda_h.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES());
            var values = scratch.allocate(ADDRESS, 2);
            values.setAtIndex(ADDRESS, 0, log);
            values.setAtIndex(ADDRESS, 1, pointer(LOG_BYTES));
            int status = cuda_h.cuModuleLoadDataEx(out, data, 2, options, values);
            if (status != 0) {
                var said = log.getString(0, StandardCharsets.UTF_8).strip();
                throw failure("cuModuleLoadDataEx", status, name + (said.isEmpty() ? "" : ": " + said));
            }
            return out.get(ADDRESS, 0).address();
        }
    }

    /** {@code cuModuleUnload}. */
    public static void moduleUnload(long module) {
        check("cuModuleUnload", cuda_h.cuModuleUnload(pointer(module)));
    }

    /** {@code cuModuleGetFunction}. */
    public static long moduleGetFunction(long module, String name) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            int status = cuda_h.cuModuleGetFunction(out, pointer(module), scratch.allocateFrom(name));
            if (status != 0) {
                throw failure("cuModuleGetFunction", status, name);
            }
            return out.get(ADDRESS, 0).address();
        }
    }

    /**
     * {@code cuFuncSetAttribute}.
     *
     * @param attribute such as {@code cuda_h.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES()}
     */
    public static void funcSetAttribute(long function, int attribute, int value) {
        check("cuFuncSetAttribute", cuda_h.cuFuncSetAttribute(pointer(function), attribute, value));
    }

    /** {@code cuFuncGetAttribute}, of the same attributes and more. */
    public static int funcGetAttribute(int attribute, long function) {
        return number(
                "cuFuncGetAttribute", (scratch, out) -> cuda_h.cuFuncGetAttribute(out, attribute, pointer(function)));
    }

    /**
     * {@code cuStreamBeginCapture_v2}.
     *
     * @param mode such as {@code cuda_h.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL()}
     */
    public static void streamBeginCapture(long stream, int mode) {
        check("cuStreamBeginCapture_v2", cuda_h.cuStreamBeginCapture_v2(pointer(stream), mode));
    }

    /** {@code cuStreamEndCapture}: the graph of what was captured. */
    public static long streamEndCapture(long stream) {
        return handle("cuStreamEndCapture", (scratch, out) -> cuda_h.cuStreamEndCapture(pointer(stream), out));
    }

    /** {@code cuGraphGetNodes}: how many there are. */
    public static long graphGetNodeCount(long graph) {
        return handle(
                "cuGraphGetNodes", (scratch, out) -> cuda_h.cuGraphGetNodes(pointer(graph), MemorySegment.NULL, out));
    }

    /** {@code cuGraphInstantiateWithParams}, without flags. */
    public static long graphInstantiate(long graph) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            var params = CUDA_GRAPH_INSTANTIATE_PARAMS_st.allocate(scratch);
            int status = cuda_h.cuGraphInstantiateWithParams(out, pointer(graph), params);
            int result = CUDA_GRAPH_INSTANTIATE_PARAMS_st.result_out(params);
            if (status != 0) {
                throw failure("cuGraphInstantiateWithParams", status, "result " + result);
            }
            if (result != cuda_h.CUDA_GRAPH_INSTANTIATE_SUCCESS()) {
                // There may be nothing to launch although the status is success.
                throw new NativeException(
                        "cuGraphInstantiateWithParams",
                        result,
                        "CUgraphInstantiateResult " + result,
                        "the graph cannot be launched as it is");
            }
            return out.get(ADDRESS, 0).address();
        }
    }

    /** {@code cuGraphUpload}. */
    public static void graphUpload(long executable, long stream) {
        check("cuGraphUpload", cuda_h.cuGraphUpload(pointer(executable), pointer(stream)));
    }

    /** {@code cuGraphDestroy}. */
    public static void graphDestroy(long graph) {
        check("cuGraphDestroy", cuda_h.cuGraphDestroy(pointer(graph)));
    }

    /** {@code cuGraphExecDestroy}. */
    public static void graphExecDestroy(long executable) {
        check("cuGraphExecDestroy", cuda_h.cuGraphExecDestroy(pointer(executable)));
    }

    /** {@code cuGraphDebugDotPrint}: writes a graph for Graphviz, with its kernels' parameters. */
    public static void graphDebugDotPrint(long graph, String file) {
        try (var scratch = Arena.ofConfined()) {
            check(
                    "cuGraphDebugDotPrint",
                    cuda_h.cuGraphDebugDotPrint(
                            pointer(graph), scratch.allocateFrom(file), cuda_h.CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE()));
        }
    }

    /** {@code cuProfilerStart}: the beginning of what a profiler that was told to wait for it records. */
    public static void profilerStart() {
        check("cuProfilerStart", cuda_h.cuProfilerStart());
    }

    /** {@code cuProfilerStop}. */
    public static void profilerStop() {
        check("cuProfilerStop", cuda_h.cuProfilerStop());
    }

    /**
     * Checks a status.
     *
     * @throws NativeException named after the function, with the driver's explanation, if the status is not
     *     {@code CUDA_SUCCESS}
     */
    public static void check(String function, int status) {
        if (status != 0) {
            throw failure(function, status, null);
        }
    }

    private static NativeException failure(String function, int status, String about) {
        var explanation = (about == null ? "" : about + ": ") + text(status, cuda_h::cuGetErrorString) + advice(status);
        return new NativeException(function, status, text(status, cuda_h::cuGetErrorName), explanation);
    }

    private interface Naming {
        int into(int status, MemorySegment out);
    }

    private static String text(int status, Naming naming) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            return naming.into(status, out) == 0 ? out.get(cuda_h.C_POINTER, 0).getString(0) : "an unknown status";
        }
    }

    /** What to do, for the failures that users meet. */
    private static String advice(int status) {
        return switch (status) {
            case 2 -> "; use a smaller batch, or end other programs that use the GPU (nvidia-smi lists them)";
            case 34 -> "; remove the folder of stubs from the library path";
            case 100 -> "; check that nvidia-smi lists a GPU, and CUDA_VISIBLE_DEVICES";
            case 101 -> "; nvidia-smi -L lists the GPUs";
            case 209 -> "; the cubin is for another GPU: empty the cache folder";
            case 700, 715, 716, 717, 718, 719 ->
                "; a kernel failed and nothing more can be done in this process: run with KINGFISHER_DEBUG=sync to find"
                        + " the operation";
            case 802, 803, 804 ->
                "; the driver's parts do not fit each other: restart the machine after an update of the driver";
            case 900, 901, 902, 903, 904, 905, 906, 907, 908 ->
                "; what was called is not allowed while a graph is captured";
            default -> "";
        };
    }

    private static int number(String function, Call call) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(JAVA_INT);
            check(function, call.into(scratch, out));
            return out.get(JAVA_INT, 0);
        }
    }

    /** Calls a function that gives a handle, an address or a size: eight bytes. */
    private static long handle(String function, Call call) {
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(JAVA_LONG);
            check(function, call.into(scratch, out));
            return out.get(JAVA_LONG, 0);
        }
    }

    private static MemorySegment pointer(long handle) {
        return MemorySegment.ofAddress(handle);
    }
}
