package io.kingfisher.runtime.cpu;

import java.lang.foreign.MemorySegment;

/** X of op(A) X = B. */
final class TriangularSolveStep extends MatrixStep {
    private final boolean transpose;
    private final int n;
    private final int k;

    TriangularSolveStep(Lapack lapack, boolean transpose, int n, int k) {
        super(lapack);
        this.transpose = transpose;
        this.n = n;
        this.k = k;
    }

    @Override
    String routine() {
        return "trsm";
    }

    @Override
    long scratchBytes() {
        return 0;
    }

    @Override
    void place(long scratch) {}

    @Override
    void run(long[] at, long[] stride, int b) {
        long x = at[2] + b * stride[2];
        copy(at[1] + b * stride[1], x, (long) n * k);
        lapack.trsm(transpose, n, k, MemorySegment.ofAddress(at[0] + b * stride[0]), MemorySegment.ofAddress(x));
    }
}
