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
        if (bytes == 8) {
            for (int i = 0; i < count; i++) {
                Memory.f64(address + 8L * i, value);
            }
            return;
        }
        long one = Float.floatToRawIntBits((float) value) & 0xffffffffL;
        for (int i = 0; i + 2 <= count; i += 2) {
            Memory.i64(address + 4L * i, one << 32 | one);
        }
        if ((count & 1) != 0) {
            Memory.f32(address + 4L * (count - 1), (float) value);
        }
    }

    static double get(long address, int bytes) {
        return bytes == 8 ? Memory.f64(address) : Memory.f32(address);
    }

    /** The reduction of lanes, a multiple of 4: every fourth one in order, then the four results in pairs. */
    static double all(Reduce.Kind kind, long address, int bytes, int count) {
        double a = nothing(kind), b = a, c = a, d = a;
        for (long at = address; at < address + (long) count * bytes; at += 4L * bytes) {
            a = join(kind, a, get(at, bytes));
            b = join(kind, b, get(at + bytes, bytes));
            c = join(kind, c, get(at + 2L * bytes, bytes));
            d = join(kind, d, get(at + 3L * bytes, bytes));
        }
        return join(kind, join(kind, a, b), join(kind, c, d));
    }
}
