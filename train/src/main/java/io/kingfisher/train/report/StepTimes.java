package io.kingfisher.train.report;

import java.util.Arrays;

/** The times of an epoch's steps, kept without allocating once there is room for them. */
public final class StepTimes {
    private long[] nanos;
    private int count;

    /** With room for that many steps; more make it grow. */
    public StepTimes(int capacity) {
        nanos = new long[Math.max(1, capacity)];
    }

    public void add(long stepNanos) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = stepNanos;
    }

    /** Forgets all steps. */
    public void clear() {
        count = 0;
    }

    /**
     * The time that this share of the steps did not exceed (nearest rank), in ms; NaN where there are no steps.
     *
     * @param share in (0, 1], such as 0.5 for the median
     */
    public double percentileMillis(double share) {
        if (count == 0) {
            return Double.NaN;
        }
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        int rank = (int) Math.ceil(share * count);
        return sorted[Math.clamp(rank, 1, count) - 1] / 1e6;
    }
}
