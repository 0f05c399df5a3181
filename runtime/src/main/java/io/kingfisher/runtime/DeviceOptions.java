package io.kingfisher.runtime;

/**
 * How a device is opened.
 *
 * @param threads the threads that compute, the caller's included; at least 1
 */
public record DeviceOptions(int threads) {
    public DeviceOptions {
        if (threads < 1 || threads > 1024) {
            throw new KingfisherException("A device computes with 1 to 1024 threads, not " + threads + ".");
        }
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
