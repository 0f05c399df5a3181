package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import java.util.function.DoubleUnaryOperator;
import java.util.random.RandomGenerator;

/** What a case is given: a type, a shape and numbers that the type can hold. */
record Operand(DType dtype, Shape shape, double[] values) {
    Operand {
        values = values.clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (dtype) {
                case F32 -> (float) values[i];
                case BF16 -> Float.intBitsToFloat(Tensor.toBf16((float) values[i]) << 16);
                case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) values[i]));
                case F64, I32, U8 -> values[i];
            };
        }
    }

    static Operand of(DType dtype, Shape shape, double... values) {
        return new Operand(dtype, shape, values);
    }

    /** Numbers that are uniform on (-1, 1). */
    static Operand random(RandomGenerator random, DType dtype, long... extents) {
        return of(random, x -> 2 * x - 1, dtype, extents);
    }

    /** Numbers that are uniform between two bounds. */
    static Operand between(RandomGenerator random, double low, double high, DType dtype, long... extents) {
        return of(random, x -> low + (high - low) * x, dtype, extents);
    }

    private static Operand of(RandomGenerator random, DoubleUnaryOperator f, DType dtype, long... extents) {
        Shape shape = Shape.of(extents);
        double[] values = new double[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = f.applyAsDouble(random.nextDouble());
        }
        return new Operand(dtype, shape, values);
    }

    static Operand integers(long[] extents, int... values) {
        double[] numbers = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            numbers[i] = values[i];
        }
        return new Operand(DType.I32, Shape.of(extents), numbers);
    }

    @Override
    public String toString() {
        return dtype == DType.F32 || dtype == DType.F64 ? shape.toString() : dtype + shape.toString();
    }
}
