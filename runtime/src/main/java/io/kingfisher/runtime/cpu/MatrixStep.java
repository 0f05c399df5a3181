package io.kingfisher.runtime.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.kingfisher.nativebindings.NativeMemory;
import java.lang.foreign.MemorySegment;

/** A factorization of one matrix at a time, with scratch memory for LAPACK at a fixed place. */
abstract class MatrixStep {
    static final MemorySegment ALL = NativeMemory.ALL;

    final Lapack lapack;
    private MemorySegment[][] operands;

    MatrixStep(Lapack lapack) {
        this.lapack = lapack;
    }

    /** LAPACK's name of what is called, for people. */
    abstract String routine();

    /** The native calls for one matrix. */
    int calls() {
        return 1;
    }

    abstract long scratchBytes();

    /** Told once where the scratch memory is. */
    abstract void place(long scratch);

    /** Told once where the operands are: for each, inputs first, its part for every matrix of the batch. */
    final void bind(MemorySegment[][] all) {
        operands = all;
    }

    /** Factorizes matrix {@code b} of the batch. */
    abstract void run(int b);

    final MemorySegment operand(int index, int b) {
        return operands[index][b];
    }

    final long at(int index, int b) {
        return operands[index][b].address();
    }

    static long aligned(long bytes) {
        return (bytes + 63) & -64;
    }

    final long bytes(long elements) {
        return elements * lapack.bytes();
    }

    final double get(long address, long index) {
        return lapack.single() ? ALL.get(JAVA_FLOAT, address + 4 * index) : ALL.get(JAVA_DOUBLE, address + 8 * index);
    }

    final void set(long address, long index, double value) {
        if (lapack.single()) {
            ALL.set(JAVA_FLOAT, address + 4 * index, (float) value);
        } else {
            ALL.set(JAVA_DOUBLE, address + 8 * index, value);
        }
    }

    final void copy(long from, long to, long elements) {
        MemorySegment.copy(ALL, from, ALL, to, bytes(elements));
    }

    /** The transposed of a row-major matrix of {@code rows} rows. */
    final void transpose(long from, long to, int rows, int columns) {
        for (int block = 0; block < columns; block += 16) {
            int end = Math.min(columns, block + 16);
            for (int i = 0; i < rows; i++) {
                for (int j = block; j < end; j++) {
                    set(to, (long) j * rows + i, get(from, (long) i * columns + j));
                }
            }
        }
    }

    final boolean finite(long address, long elements) {
        for (long i = 0; i < elements; i++) {
            if (!Double.isFinite(get(address, i))) {
                return false;
            }
        }
        return true;
    }

    final void fail(long address, long elements) {
        for (long i = 0; i < elements; i++) {
            set(address, i, Double.NaN);
        }
    }

    static void info(long address, int info) {
        ALL.set(JAVA_INT, address, info);
    }
}
