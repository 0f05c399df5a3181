package io.kingfisher.runtime.cuda.driver;

import java.lang.foreign.MemorySegment;

/**
 * The CUDA driver as the device uses it, within one context. Handles and device addresses are plain numbers. Every method
 * throws {@link io.kingfisher.nativebindings.NativeException}, named after the driver's function, where the driver refuses.
 *
 * <p>One implementation calls the driver. Tests have one that writes down what is called and one that computes on the
 * processor, so that everything above this interface runs where there is no GPU.
 */
public interface Driver extends AutoCloseable {
    Properties properties();

    /** Makes the context current on the calling thread. */
    void enter();

    /** Device memory, aligned to at least 256 bytes, with undefined contents. */
    long allocate(long bytes);

    void free(long address);

    /** Free and total device memory, in bytes. */
    long[] memory();

    /** Host memory that the device copies from and to without staging; its address does not change. */
    MemorySegment allocatePinned(long bytes);

    void freePinned(MemorySegment memory);

    /** A stream that does not wait for the legacy default stream. */
    long createStream();

    /**
     * A stream that waits for the legacy default stream, and which that one waits for: while it is captured, work that strays
     * to the default stream is an error.
     */
    default long createBlockingStream() {
        return createStream();
    }

    void destroyStream(long stream);

    /** Waits on the host until all work of a stream is done. */
    void synchronize(long stream);

    long createEvent(boolean timed);

    void destroyEvent(long event);

    void record(long event, long stream);

    /** Lets a stream's later work wait for an event. */
    void await(long stream, long event);

    /** Waits on the host for an event. */
    void synchronizeEvent(long event);

    /** The time between two timed events that have happened, in milliseconds. */
    float elapsed(long start, long end);

    /** Copies to the device in stream order; returns at once only where {@code from} is pinned. */
    void upload(long to, MemorySegment from, long stream);

    /** Copies to the host in stream order; returns at once only where {@code to} is pinned. */
    void download(MemorySegment to, long from, long stream);

    /** Copies within the device in stream order. */
    void copy(long to, long from, long bytes, long stream);

    /** Sets bytes in stream order. */
    void fill(long to, byte value, long bytes, long stream);

    /** Loads a compiled module (a cubin); {@code name} is for messages. */
    long loadModule(byte[] image, String name);

    void unloadModule(long module);

    long function(long module, String name);

    /** Lets a function use that much dynamic shared memory, beyond the 48 KiB that every function may. */
    void allowShared(long function, int bytes);

    /**
     * Launches a kernel.
     *
     * @param arguments for each parameter of the kernel the address, in host memory, of its value; the segment and what it
     *     points to stay as they are until the call returns
     */
    void launch(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int blockX,
            int blockY,
            int blockZ,
            int sharedBytes,
            long stream,
            MemorySegment arguments);

    /** Starts to write down the work of a stream (thread-local mode) instead of doing it. */
    void beginCapture(long stream);

    /** Ends the capture and returns a graph. */
    long endCapture(long stream);

    int nodes(long graph);

    long instantiate(long graph);

    void destroyGraph(long graph);

    /** Sends an instantiated graph to the device, so that its first launch is as fast as the others. */
    void uploadGraph(long executable, long stream);

    void launchGraph(long executable, long stream);

    void destroyExecutable(long executable);

    /** Begins a named range for profilers; does nothing where NVTX is not there. */
    void pushRange(String name);

    void popRange();

    /** Frees what the implementation holds, the context included. */
    @Override
    void close();

    /**
     * What a device is.
     *
     * @param major the compute capability's major number; with {@code minor} 9.0 on Hopper
     * @param sharedBytes the dynamic shared memory that a block can be allowed
     * @param driverVersion the CUDA version that the driver supports, such as 13000
     */
    record Properties(
            String name,
            int major,
            int minor,
            int multiprocessors,
            long memoryBytes,
            long l2Bytes,
            int sharedBytes,
            int driverVersion) {}
}
