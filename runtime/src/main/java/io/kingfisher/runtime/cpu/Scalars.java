package io.kingfisher.runtime.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Tensor;
import java.lang.foreign.MemorySegment;

/** Elements of any type at absolute addresses, one by one: for constants and other things that are not hot. */
final class Scalars {
    private static final MemorySegment ALL = NativeMemory.ALL;

    private Scalars() {}

    static double get(DType dtype, long address) {
        return switch (dtype) {
            case F32 -> ALL.get(JAVA_FLOAT, address);
            case F64 -> ALL.get(JAVA_DOUBLE, address);
            case BF16 -> Float.intBitsToFloat(ALL.get(JAVA_SHORT, address) << 16);
            case F16 -> Float.float16ToFloat(ALL.get(JAVA_SHORT, address));
            case I32 -> ALL.get(JAVA_INT, address);
            case U8 -> ALL.get(JAVA_BYTE, address) & 0xff;
        };
    }

    static void set(DType dtype, long address, double value) {
        switch (dtype) {
            case F32 -> ALL.set(JAVA_FLOAT, address, (float) value);
            case F64 -> ALL.set(JAVA_DOUBLE, address, value);
            case BF16 -> ALL.set(JAVA_SHORT, address, Tensor.toBf16((float) value));
            case F16 -> ALL.set(JAVA_SHORT, address, Float.floatToFloat16((float) value));
            case I32 -> ALL.set(JAVA_INT, address, (int) value);
            case U8 -> ALL.set(JAVA_BYTE, address, (byte) (int) value);
        }
    }

    static void fill(DType dtype, long address, long count, double value) {
        for (long i = 0; i < count; i++) {
            set(dtype, address + i * dtype.bytes(), value);
        }
    }

    static void write(DType dtype, long address, double... values) {
        for (int i = 0; i < values.length; i++) {
            set(dtype, address + (long) i * dtype.bytes(), values[i]);
        }
    }

    static double[] read(DType dtype, long address, long count) {
        double[] result = new double[Math.toIntExact(count)];
        for (int i = 0; i < result.length; i++) {
            result[i] = get(dtype, address + (long) i * dtype.bytes());
        }
        return result;
    }
}
