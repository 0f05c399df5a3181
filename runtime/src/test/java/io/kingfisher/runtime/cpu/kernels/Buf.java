package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import java.lang.foreign.Arena;

/** Memory for tests. */
record Buf(DType dtype, int elements, long address) {
    static Buf of(DType dtype, double... values) {
        Buf buf = new Buf(dtype, values.length, allocate(dtype, values.length));
        for (int i = 0; i < values.length; i++) {
            buf.set(i, values[i]);
        }
        return buf;
    }

    static Buf of(DType dtype, int elements) {
        return of(dtype, new double[elements]);
    }

    /** Never freed: a test's memory is small. */
    private static long allocate(DType dtype, int elements) {
        return Arena.global()
                .allocate(Math.max(1, (long) elements * dtype.bytes()), 64)
                .address();
    }

    double get(int i) {
        return Memory.get(dtype, address + (long) i * dtype.bytes());
    }

    void set(int i, double value) {
        Memory.set(dtype, address + (long) i * dtype.bytes(), value);
    }

    double[] all() {
        double[] result = new double[elements];
        for (int i = 0; i < elements; i++) {
            result[i] = get(i);
        }
        return result;
    }

    Buf copy() {
        return of(dtype, all());
    }
}
