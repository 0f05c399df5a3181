package io.kingfisher.runtime.cpu;

import java.lang.foreign.MemorySegment;

/** A factorization by a routine that destroys its matrix, so that it gets a copy, and wants two arrays to work in. */
abstract class CopiedMatrixStep extends MatrixStep {
    private final long elements;
    private final int lwork;
    private final long integerBytes;
    private MemorySegment matrix;
    private MemorySegment work;
    private MemorySegment integers;

    /**
     * @param elements of the matrix
     * @param lwork numbers to work with
     * @param integers integers to work with
     */
    CopiedMatrixStep(Lapack lapack, long elements, int lwork, long integers) {
        super(lapack);
        this.elements = elements;
        this.lwork = lwork;
        this.integerBytes = 4 * integers;
    }

    @Override
    final long scratchBytes() {
        return aligned(bytes(elements)) + aligned(bytes(lwork)) + integerBytes;
    }

    @Override
    final void place(long scratch) {
        long at = scratch + aligned(bytes(elements));
        matrix = MemorySegment.ofAddress(scratch);
        work = MemorySegment.ofAddress(at);
        integers = MemorySegment.ofAddress(at + aligned(bytes(lwork)));
    }

    /** Copies the matrix to where {@link #matrix} is. */
    final void take(long from) {
        copy(from, matrix.address(), elements);
    }

    final MemorySegment matrix() {
        return matrix;
    }

    final MemorySegment work() {
        return work;
    }

    final int lwork() {
        return lwork;
    }

    final MemorySegment integers() {
        return integers;
    }
}
