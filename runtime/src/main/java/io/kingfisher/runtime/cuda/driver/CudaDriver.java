package io.kingfisher.runtime.cuda.driver;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.cuda.Cuda;
import io.kingfisher.nativebindings.cuda.CudaCalls;
import io.kingfisher.nativebindings.cuda.generated.cuda_h;
import io.kingfisher.nativebindings.nvtx.Nvtx;
import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The CUDA driver of one GPU, in its primary context: the one that cuBLAS, cuDNN, cuSOLVER and NCCL use, too. Calls on the
 * replay path allocate nothing on the heap. Any thread may call that has {@linkplain #enter entered}.
 */
public final class CudaDriver implements Driver {
    private final int device;
    private final long context;
    private final Properties properties;
    private final Set<Long> modules = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private CudaDriver(int device, long context, Properties properties) {
        this.device = device;
        this.context = context;
        this.properties = properties;
    }

    /**
     * Opens a GPU and makes its context current on this thread.
     *
     * @param ordinal its number as {@code nvidia-smi} counts, from 0 on, after {@code CUDA_VISIBLE_DEVICES}
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no driver, or it is too old
     * @throws io.kingfisher.nativebindings.NativeException if the driver finds no GPU, or cannot use it
     * @throws KingfisherException if there are fewer GPUs
     */
    public static CudaDriver open(int ordinal) {
        Cuda.init();
        int count = Cuda.deviceGetCount();
        if (ordinal < 0 || ordinal >= count) {
            throw new KingfisherException("there is no cuda:" + ordinal + ": the driver sees " + count
                    + (count == 1 ? " GPU, cuda:0" : " GPUs, from cuda:0 to cuda:" + (count - 1))
                    + "; choose one of them, or check CUDA_VISIBLE_DEVICES");
        }
        int device = Cuda.deviceGet(ordinal);
        var properties = properties(device);
        var driver = new CudaDriver(device, Cuda.devicePrimaryCtxRetain(device), properties);
        driver.enter();
        // Looked for now, so that the first range does not have to wait for it.
        Nvtx.isAvailable();
        return driver;
    }

    /**
     * Returns what GPUs there are, without opening one.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no driver, or it is too old
     * @throws io.kingfisher.nativebindings.NativeException if the driver finds no GPU
     */
    public static List<Properties> devices() {
        Cuda.init();
        return IntStream.range(0, Cuda.deviceGetCount())
                .mapToObj(ordinal -> properties(Cuda.deviceGet(ordinal)))
                .toList();
    }

    private static Properties properties(int device) {
        return new Properties(
                Cuda.deviceGetName(device),
                Cuda.deviceGetAttribute(cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), device),
                Cuda.deviceGetAttribute(cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), device),
                Cuda.deviceGetAttribute(cuda_h.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT(), device),
                Cuda.deviceTotalMem(device),
                Cuda.deviceGetAttribute(cuda_h.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE(), device),
                Cuda.deviceGetAttribute(cuda_h.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN(), device),
                Cuda.driverGetVersion());
    }

    @Override
    public Properties properties() {
        return properties;
    }

    @Override
    public void enter() {
        CudaCalls.ctxSetCurrent(context());
    }

    /** The context, where it is open: a call in a released one could reach memory of another. */
    private long context() {
        if (closed) {
            throw new IllegalStateException("the driver of " + properties.name() + " has been closed");
        }
        return context;
    }

    @Override
    public long allocate(long bytes) {
        context();
        return Cuda.memAlloc(Math.max(1, bytes));
    }

    @Override
    public void free(long address) {
        context();
        Cuda.memFree(address);
    }

    @Override
    public long[] memory() {
        context();
        return Cuda.memGetInfo();
    }

    @Override
    public MemorySegment allocatePinned(long bytes) {
        context();
        long address = Cuda.memHostAlloc(Math.max(1, bytes), cuda_h.CU_MEMHOSTALLOC_PORTABLE());
        return NativeMemory.segment(address, bytes);
    }

    @Override
    public void freePinned(MemorySegment memory) {
        context();
        Cuda.memFreeHost(memory);
    }

    @Override
    public long createStream() {
        context();
        return Cuda.streamCreate(cuda_h.CU_STREAM_NON_BLOCKING());
    }

    @Override
    public long createBlockingStream() {
        context();
        return Cuda.streamCreate(cuda_h.CU_STREAM_DEFAULT());
    }

    @Override
    public void destroyStream(long stream) {
        context();
        Cuda.streamDestroy(stream);
    }

    @Override
    public void synchronize(long stream) {
        context();
        CudaCalls.streamSynchronize(stream);
    }

    @Override
    public long createEvent(boolean timed) {
        context();
        return Cuda.eventCreate(timed ? cuda_h.CU_EVENT_DEFAULT() : cuda_h.CU_EVENT_DISABLE_TIMING());
    }

    @Override
    public void destroyEvent(long event) {
        context();
        Cuda.eventDestroy(event);
    }

    @Override
    public void record(long event, long stream) {
        context();
        CudaCalls.eventRecord(event, stream);
    }

    @Override
    public void await(long stream, long event) {
        context();
        CudaCalls.streamWaitEvent(stream, event);
    }

    @Override
    public void synchronizeEvent(long event) {
        context();
        CudaCalls.eventSynchronize(event);
    }

    @Override
    public float elapsed(long start, long end) {
        context();
        return Cuda.eventElapsedTime(start, end);
    }

    @Override
    public void upload(long to, MemorySegment from, long stream) {
        context();
        if (from.byteSize() > 0) {
            CudaCalls.memcpyHtoDAsync(to, from, stream);
        }
    }

    @Override
    public void download(MemorySegment to, long from, long stream) {
        context();
        if (to.byteSize() > 0) {
            CudaCalls.memcpyDtoHAsync(to, from, stream);
        }
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        context();
        if (bytes > 0) {
            CudaCalls.memcpyDtoDAsync(to, from, bytes, stream);
        }
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        context();
        if (bytes > 0) {
            CudaCalls.memsetD8Async(to, value, bytes, stream);
        }
    }

    @Override
    public long loadModule(byte[] image, String name) {
        context();
        long module = Cuda.moduleLoadData(image, name);
        modules.add(module);
        return module;
    }

    @Override
    public void unloadModule(long module) {
        context();
        modules.remove(module);
        Cuda.moduleUnload(module);
    }

    @Override
    public long function(long module, String name) {
        context();
        return Cuda.moduleGetFunction(module, name);
    }

    @Override
    public void allowShared(long function, int bytes) {
        context();
        Cuda.funcSetAttribute(function, cuda_h.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES(), bytes);
    }

    @Override
    public void launch(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int blockX,
            int blockY,
            int blockZ,
            int sharedBytes,
            long stream,
            MemorySegment arguments) {
        context();
        CudaCalls.launchKernel(function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, arguments);
    }

    @Override
    public void beginCapture(long stream) {
        context();
        Cuda.streamBeginCapture(stream, cuda_h.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL());
    }

    @Override
    public long endCapture(long stream) {
        context();
        return Cuda.streamEndCapture(stream);
    }

    @Override
    public int nodes(long graph) {
        context();
        return Math.toIntExact(Cuda.graphGetNodeCount(graph));
    }

    @Override
    public long instantiate(long graph) {
        context();
        return Cuda.graphInstantiate(graph);
    }

    @Override
    public void destroyGraph(long graph) {
        context();
        Cuda.graphDestroy(graph);
    }

    @Override
    public void uploadGraph(long executable, long stream) {
        context();
        Cuda.graphUpload(executable, stream);
    }

    @Override
    public void launchGraph(long executable, long stream) {
        context();
        CudaCalls.graphLaunch(executable, stream);
    }

    @Override
    public void destroyExecutable(long executable) {
        context();
        Cuda.graphExecDestroy(executable);
    }

    @Override
    public void pushRange(String name) {
        Nvtx.push(name);
    }

    @Override
    public void popRange() {
        Nvtx.pop();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            enter();
            closed = true;
        }
        try {
            // Others may keep the context, and the modules with it.
            modules.forEach(Cuda::moduleUnload);
        } finally {
            modules.clear();
            Cuda.devicePrimaryCtxRelease(device);
        }
    }
}
