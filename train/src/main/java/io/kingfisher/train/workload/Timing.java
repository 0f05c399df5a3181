package io.kingfisher.train.workload;

import io.kingfisher.runtime.Device;
import java.util.Arrays;

/**
 * The times of a step.
 *
 * @param p50Millis the median time of a step that the host waits for, from its input being copied to its end
 * @param p99Millis the time that 99 of 100 such steps do not exceed
 * @param streamedMillis the mean time of a step where the host waits only for the last one
 * @param prepareMicros the median time that it takes the host to hand over the inputs and scalars of a step
 * @param hostMicros the median time after which replay returns to the host; on a device that runs nothing behind the host, the
 *     time of the whole replay
 */
public record Timing(
        double p50Millis, double p99Millis, double streamedMillis, double prepareMicros, double hostMicros) {
    /** A step in its two parts. */
    public interface Step {
        /** Fills the inputs. */
        void prepare();

        void replay();
    }

    /** Times steps after a tenth as many (at least 5) that do not count. */
    public static Timing of(Device device, Step step, int steps) {
        for (int i = 0; i < Math.max(5, steps / 10); i++) {
            step.prepare();
            step.replay();
        }
        device.synchronize();
        long[] whole = new long[steps], prepare = new long[steps], host = new long[steps];
        for (int i = 0; i < steps; i++) {
            long began = System.nanoTime();
            step.prepare();
            long prepared = System.nanoTime();
            step.replay();
            long launched = System.nanoTime();
            device.synchronize();
            prepare[i] = prepared - began;
            host[i] = launched - prepared;
            whole[i] = System.nanoTime() - began;
        }
        long start = System.nanoTime();
        for (int i = 0; i < steps; i++) {
            step.prepare();
            step.replay();
        }
        device.synchronize();
        double streamed = (System.nanoTime() - start) / 1e6 / steps;
        return new Timing(
                at(whole, 0.5) / 1e6, at(whole, 0.99) / 1e6, streamed, at(prepare, 0.5) / 1e3, at(host, 0.5) / 1e3);
    }

    private static double at(long[] nanos, double share) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, (int) Math.floor(share * sorted.length))];
    }
}
