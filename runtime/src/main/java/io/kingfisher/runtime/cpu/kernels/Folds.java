package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.graph.Reduce;

/** What reductions make of two partial results, in double precision. */
final class Folds {
    private Folds() {}

    /** The reduction of no elements. */
    static double nothing(Reduce.Kind kind) {
        return switch (kind) {
            case SUM -> 0;
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
        };
    }

    /** NaN where either is NaN. */
    static double join(Reduce.Kind kind, double a, double b) {
        return switch (kind) {
            case SUM -> a + b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
        };
    }

    static void fill(long address, int count, int bytes, double value) {
        for (int i = 0; i < count; i++) {
            if (bytes == 8) {
                Memory.f64(address + 8L * i, value);
            } else {
                Memory.f32(address + 4L * i, (float) value);
            }
        }
    }

    static double get(long address, int bytes) {
        return bytes == 8 ? Memory.f64(address) : Memory.f32(address);
    }

    /** The reduction of lanes, joined pairwise. */
    static double all(Reduce.Kind kind, long address, int bytes, int count) {
        if (count == 1) {
            return get(address, bytes);
        }
        int half = count / 2;
        double low = all(kind, address, bytes, half);
        return join(kind, low, all(kind, address + (long) half * bytes, bytes, count - half));
    }
}
