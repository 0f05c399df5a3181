package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Elements at absolute addresses, converted to what kernels compute with; generated code calls these by name. */
final class Memory {
    /** All memory: a constant, so that the compiler sees no bounds and no lifetime. */
    static final MemorySegment ALL = NativeMemory.ALL;

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;

    static {
        // The JIT compiler takes what is loaded for all there is, and throws loops away when another kind of memory
        // appears.
        try (Arena confined = Arena.ofConfined();
                Arena shared = Arena.ofShared()) {
            confined.allocate(8).set(I64, 0, shared.allocate(8).get(I64, 0));
        }
        MemorySegment.ofArray(new byte[8])
                .set(I64, 0, MemorySegment.ofArray(new float[2]).get(I32, 0));
    }

    private Memory() {}

    static float f32(long address) {
        return ALL.get(F32, address);
    }

    static void f32(long address, float value) {
        ALL.set(F32, address, value);
    }

    static double f64(long address) {
        return ALL.get(F64, address);
    }

    static void f64(long address, double value) {
        ALL.set(F64, address, value);
    }

    static int i32(long address) {
        return ALL.get(I32, address);
    }

    static void i32(long address, int value) {
        ALL.set(I32, address, value);
    }

    static int u8(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address) & 0xff;
    }

    static void u8(long address, int value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, (byte) value);
    }

    static short i16(long address) {
        return ALL.get(I16, address);
    }

    static void i16(long address, short value) {
        ALL.set(I16, address, value);
    }

    static long i64(long address) {
        return ALL.get(I64, address);
    }

    static void i64(long address, long value) {
        ALL.set(I64, address, value);
    }

    static float bf16(long address) {
        return Float.intBitsToFloat(i16(address) << 16);
    }

    static void bf16(long address, float value) {
        i16(address, Tensor.toBf16(value));
    }

    static float f16(long address) {
        return Float.float16ToFloat(i16(address));
    }

    static void f16(long address, float value) {
        i16(address, Float.floatToFloat16(value));
    }

    /** The element at an address in double precision. */
    static double get(DType dtype, long address) {
        return switch (dtype) {
            case F32 -> f32(address);
            case F64 -> f64(address);
            case BF16 -> bf16(address);
            case F16 -> f16(address);
            case I32 -> i32(address);
            case U8 -> u8(address);
        };
    }

    /** Stores a number converted to the type, to integers by truncation. */
    static void set(DType dtype, long address, double value) {
        switch (dtype) {
            case F32 -> f32(address, (float) value);
            case F64 -> f64(address, value);
            case BF16 -> bf16(address, (float) value);
            case F16 -> f16(address, (float) value);
            case I32 -> i32(address, (int) value);
            case U8 -> u8(address, (int) value);
        }
    }

    static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    static void zero(long address, long bytes) {
        for (long i = 0; i < bytes; i += 8) {
            if (bytes - i >= 8) {
                i64(address + i, 0);
            } else {
                for (long j = i; j < bytes; j++) {
                    u8(address + j, 0);
                }
            }
        }
    }
}
