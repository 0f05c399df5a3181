package io.kingfisher.nativebindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.CudaLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The calls of the CUDA driver that are made while a program runs. Unlike the generated ones they take every handle and
 * device address as a number, so that none allocates an object for it. {@link Cuda#init} comes before.
 */
@SuppressWarnings("restricted")
public final class CudaCalls {
    private static final MethodHandle SET_CURRENT = link("cuCtxSetCurrent", JAVA_LONG);
    private static final MethodHandle STREAM_SYNCHRONIZE = link("cuStreamSynchronize", JAVA_LONG);
    private static final MethodHandle STREAM_WAIT_EVENT = link("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle EVENT_RECORD = link("cuEventRecord", JAVA_LONG, JAVA_LONG);
    private static final MethodHandle EVENT_SYNCHRONIZE = link("cuEventSynchronize", JAVA_LONG);
    private static final MethodHandle COPY_TO_DEVICE =
            link("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle COPY_TO_HOST =
            link("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle COPY_WITHIN =
            link("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FILL = link("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle LAUNCH = link(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle LAUNCH_GRAPH = link("cuGraphLaunch", JAVA_LONG, JAVA_LONG);

    private CudaCalls() {}

    private static MethodHandle link(String function, MemoryLayout... parameters) {
        var address = CudaLibrary.CUDA
                .optional(function)
                .orElseThrow(() -> new AssertionError("every driver that is new enough has " + function));
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    /** {@code cuCtxSetCurrent}: makes a context current on this thread. */
    public static void ctxSetCurrent(long context) {
        try {
            Cuda.check("cuCtxSetCurrent", (int) SET_CURRENT.invokeExact(context));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuStreamSynchronize}: waits until the work of a stream is done. */
    public static void streamSynchronize(long stream) {
        try {
            Cuda.check("cuStreamSynchronize", (int) STREAM_SYNCHRONIZE.invokeExact(stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuStreamWaitEvent}: lets a stream's later work wait for an event. */
    public static void streamWaitEvent(long stream, long event) {
        try {
            Cuda.check("cuStreamWaitEvent", (int) STREAM_WAIT_EVENT.invokeExact(stream, event, 0));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuEventRecord}. */
    public static void eventRecord(long event, long stream) {
        try {
            Cuda.check("cuEventRecord", (int) EVENT_RECORD.invokeExact(event, stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuEventSynchronize}: waits for an event. */
    public static void eventSynchronize(long event) {
        try {
            Cuda.check("cuEventSynchronize", (int) EVENT_SYNCHRONIZE.invokeExact(event));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuMemcpyHtoDAsync_v2}: copies a whole segment to the device. */
    public static void memcpyHtoDAsync(long to, MemorySegment from, long stream) {
        try {
            Cuda.check("cuMemcpyHtoDAsync_v2", (int) COPY_TO_DEVICE.invokeExact(to, from, from.byteSize(), stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuMemcpyDtoHAsync_v2}: fills a whole segment from the device. */
    public static void memcpyDtoHAsync(MemorySegment to, long from, long stream) {
        try {
            Cuda.check("cuMemcpyDtoHAsync_v2", (int) COPY_TO_HOST.invokeExact(to, from, to.byteSize(), stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuMemcpyDtoDAsync_v2}. */
    public static void memcpyDtoDAsync(long to, long from, long bytes, long stream) {
        try {
            Cuda.check("cuMemcpyDtoDAsync_v2", (int) COPY_WITHIN.invokeExact(to, from, bytes, stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuMemsetD8Async}. */
    public static void memsetD8Async(long to, byte value, long bytes, long stream) {
        try {
            Cuda.check("cuMemsetD8Async", (int) FILL.invokeExact(to, value, bytes, stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /**
     * {@code cuLaunchKernel}.
     *
     * @param arguments for each parameter of the kernel the address of its value, all read before the call returns
     */
    public static void launchKernel(
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
        try {
            Cuda.check("cuLaunchKernel", (int) LAUNCH.invokeExact(
                    function,
                    gridX,
                    gridY,
                    gridZ,
                    blockX,
                    blockY,
                    blockZ,
                    sharedBytes,
                    stream,
                    arguments,
                    MemorySegment.NULL));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@code cuGraphLaunch}. */
    public static void graphLaunch(long executable, long stream) {
        try {
            Cuda.check("cuGraphLaunch", (int) LAUNCH_GRAPH.invokeExact(executable, stream));
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    private static RuntimeException unchecked(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> throw new AssertionError("a downcall throws no checked exception", e);
        };
    }
}
