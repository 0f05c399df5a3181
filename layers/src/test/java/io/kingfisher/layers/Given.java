package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import java.util.Random;
import java.util.stream.IntStream;

/** An input of a test; its numbers are ones that F32 holds. */
record Given(DType dtype, Shape shape, double[] values) {
    /** Standard normal numbers. */
    static Given normal(long seed, long... extents) {
        Random random = new Random(seed);
        double[] values = new double[(int) Shape.of(extents).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return new Given(DType.F32, Shape.of(extents), values);
    }

    /** Integers from 0 to {@code bound} - 1. */
    static Given integers(long seed, int bound, long... extents) {
        Random random = new Random(seed);
        int n = (int) Shape.of(extents).elements();
        double[] values =
                IntStream.range(0, n).mapToDouble(_ -> random.nextInt(bound)).toArray();
        return new Given(DType.I32, Shape.of(extents), values);
    }

    static Given of(DType dtype, Shape shape, double... values) {
        return new Given(dtype, shape, values);
    }

    Given map(java.util.function.DoubleUnaryOperator f) {
        double[] mapped = java.util.Arrays.stream(values)
                .map(v -> (float) f.applyAsDouble(v))
                .toArray();
        return new Given(dtype, shape, mapped);
    }
}
