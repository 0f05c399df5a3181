package io.kingfisher.runtime.cuda.math;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Tensor;
import java.lang.foreign.MemorySegment;

/** Numbers of any type at addresses of host memory, as doubles. */
final class HostNumbers {
    private static final MemorySegment ALL = NativeMemory.ALL;

    private HostNumbers() {}

    static double[] read(DType dtype, long address, long count) {
        double[] result = new double[Math.toIntExact(count)];
        for (int i = 0; i < result.length; i++) {
            long at = address + (long) i * dtype.bytes();
            result[i] = switch (dtype) {
                case F32 -> ALL.get(JAVA_FLOAT, at);
                case F64 -> ALL.get(JAVA_DOUBLE, at);
                case BF16 -> Float.intBitsToFloat(ALL.get(JAVA_SHORT, at) << 16);
                case F16 -> Float.float16ToFloat(ALL.get(JAVA_SHORT, at));
                case I32, U8 -> throw new IllegalArgumentException("no library computes with " + dtype);
            };
        }
        return result;
    }

    static void write(DType dtype, long address, double... values) {
        for (int i = 0; i < values.length; i++) {
            long at = address + (long) i * dtype.bytes();
            switch (dtype) {
                case F32 -> ALL.set(JAVA_FLOAT, at, (float) values[i]);
                case F64 -> ALL.set(JAVA_DOUBLE, at, values[i]);
                case BF16 -> ALL.set(JAVA_SHORT, at, Tensor.toBf16((float) values[i]));
                case F16 -> ALL.set(JAVA_SHORT, at, Float.floatToFloat16((float) values[i]));
                case I32, U8 -> throw new IllegalArgumentException("no library computes with " + dtype);
            }
        }
    }

    static void write(long address, int value) {
        ALL.set(JAVA_INT, address, value);
    }

    static boolean readBit(long address, long bit) {
        return (ALL.get(JAVA_BYTE, address + bit / 8) >> bit % 8 & 1) != 0;
    }

    static void writeBit(long address, long bit, boolean value) {
        int others = ALL.get(JAVA_BYTE, address + bit / 8) & ~(1 << bit % 8);
        ALL.set(JAVA_BYTE, address + bit / 8, (byte) (others | (value ? 1 << bit % 8 : 0)));
    }

    /** A number with TF32's 10 bits of fraction, rounded to the nearest, ties away from zero, as the conversion on a GPU. */
    static double toTf32(double value) {
        if (!Double.isFinite(value)) {
            return value;
        }
        return Float.intBitsToFloat((Float.floatToRawIntBits((float) value) + 0x1000) & ~0x1fff);
    }
}
