package io.kingfisher.train.workload;

import io.kingfisher.layers.Precision;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.runtime.Device;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the steps of one method take on one model.
 *
 * @param millis the median time of a step of each cadence that the method has, from its input being copied to its end
 * @param perPeriod how many steps of each there are in a period
 */
public record Cost(Map<Cadence, Double> millis, Map<Cadence, Long> perPeriod) {
    /**
     * Measures steps of each cadence, after some that do not count; fewer where they take long.
     *
     * @param steps to time of each cadence, at least 1
     * @param seconds for each cadence, once it has been timed; at most a third of these goes by before
     */
    public static Cost of(Device device, Workload workload, Method method, int steps, double seconds) {
        Map<Cadence, Double> millis = new EnumMap<>(Cadence.class);
        Map<Cadence, Long> perPeriod = new EnumMap<>(Cadence.class);
        try (TrainingStep step = new TrainingStep(device, workload, method, Precision.FP32, 1)) {
            Optimizer optimizer = step.optimizer();
            for (Cadence cadence : Cadence.values()) {
                long count = optimizer.cadences().contains(cadence) ? optimizer.perPeriod(cadence) : 0;
                if (count > 0) {
                    perPeriod.put(cadence, count);
                }
            }
            // Statistics and decompositions first, so that no step has to do without.
            for (Cadence cadence : new Cadence[] {Cadence.SOLVE, Cadence.REFRESH, Cadence.STEP}) {
                if (perPeriod.containsKey(cadence)) {
                    millis.put(cadence, median(device, step, cadence, steps, seconds));
                }
            }
        }
        return new Cost(millis, perPeriod);
    }

    private static double median(Device device, TrainingStep step, Cadence cadence, int steps, double seconds) {
        long began = System.nanoTime();
        int warm = 0;
        while (warm == 0 || (warm < steps && System.nanoTime() - began < seconds * 1e9 / 3)) {
            step.step(cadence);
            device.synchronize();
            warm++;
        }
        double[] nanos = new double[steps];
        began = System.nanoTime();
        int made = 0;
        while (made < steps && (made == 0 || System.nanoTime() - began < seconds * 1e9)) {
            long start = System.nanoTime();
            step.step(cadence);
            device.synchronize();
            nanos[made++] = System.nanoTime() - start;
        }
        Arrays.sort(nanos, 0, made);
        return nanos[made / 2] / 1e6;
    }

    /** The mean time of a step over a period. */
    public double mean() {
        double total = 0, count = 0;
        for (var each : perPeriod.entrySet()) {
            total += millis.get(each.getKey()) * each.getValue();
            count += each.getValue();
        }
        return total / count;
    }
}
