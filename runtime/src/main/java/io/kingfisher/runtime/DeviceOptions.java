package io.kingfisher.runtime;

/**
 * How a device is opened.
 *
 * @param threads the threads that compute, the caller's included; at least 1
 * @param tf32 whether products of F32 matrices and images may round their factors to TF32; only GPUs can
 * @param execution how a GPU runs a program; the processor makes its calls one by one in any case
 * @param deterministic whether a GPU's libraries use only algorithms that give the same bits every time, as our own kernels
 *     do, and of these the one that they propose first rather than the one that is measured to be fastest
 * @param winograd whether the processor may compute a convolution by a 3x3 kernel as Winograd's F(4x4, 3x3) where that is
 *     faster: a quarter of the multiplications, and rounding errors three to six times those of the direct sum
 */
public record DeviceOptions(int threads, boolean tf32, Execution execution, boolean deterministic, boolean winograd) {
    /** How a GPU runs a program. */
    public enum Execution {
        /** The whole program as one CUDA graph. */
        GRAPH,
        /** Call by call, with a named range around each for profilers. */
        PLAIN,
        /** As {@link #GRAPH}, captured on a stream that blocks, so that work which strays to the default stream fails. */
        BLOCKING
    }

    public DeviceOptions {
        if (threads < 1 || threads > 1024) {
            throw new KingfisherException("A device computes with 1 to 1024 threads, not " + threads + ".");
        }
    }

    public DeviceOptions(int threads) {
        this(threads, false, Execution.GRAPH, false, true);
    }

    public DeviceOptions withThreads(int count) {
        return new DeviceOptions(count, tf32, execution, deterministic, winograd);
    }

    public DeviceOptions withTf32(boolean allowed) {
        return new DeviceOptions(threads, allowed, execution, deterministic, winograd);
    }

    public DeviceOptions withExecution(Execution how) {
        return new DeviceOptions(threads, tf32, how, deterministic, winograd);
    }

    public DeviceOptions withDeterministic(boolean always) {
        return new DeviceOptions(threads, tf32, execution, always, winograd);
    }

    public DeviceOptions withWinograd(boolean allowed) {
        return new DeviceOptions(threads, tf32, execution, deterministic, allowed);
    }

    /** {@code KINGFISHER_THREADS} where it is set, else one thread for each processor. */
    public static DeviceOptions defaults() {
        String text = System.getenv("KINGFISHER_THREADS");
        if (text == null || text.isBlank()) {
            return new DeviceOptions(Runtime.getRuntime().availableProcessors());
        }
        try {
            return new DeviceOptions(Integer.parseInt(text.strip()));
        } catch (NumberFormatException e) {
            throw new KingfisherException(
                    "KINGFISHER_THREADS is '" + text + "'; set it to a number of threads or unset it.", e);
        }
    }
}
