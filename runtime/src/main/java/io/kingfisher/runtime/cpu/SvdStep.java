package io.kingfisher.runtime.cpu;

import java.lang.foreign.MemorySegment;

/** A = U S V^T. By columns LAPACK sees A^T = V S U^T, and the memory of its factors is that of V^T and U by rows. */
final class SvdStep extends MatrixStep {
    private final int m;
    private final int n;
    private final int k;
    private final int lwork;
    private long matrix;
    private MemorySegment copy;
    private MemorySegment work;
    private MemorySegment iwork;

    SvdStep(Lapack lapack, int m, int n) {
        super(lapack);
        this.m = m;
        this.n = n;
        this.k = Math.min(m, n);
        this.lwork = lapack.gesddLengths(n, m)[0];
    }

    @Override
    String routine() {
        return "gesdd";
    }

    @Override
    long scratchBytes() {
        return aligned(bytes((long) m * n)) + aligned(bytes(lwork)) + 32L * k;
    }

    @Override
    void place(long scratch) {
        matrix = scratch;
        copy = MemorySegment.ofAddress(scratch);
        long at = scratch + aligned(bytes((long) m * n));
        work = MemorySegment.ofAddress(at);
        iwork = MemorySegment.ofAddress(at + aligned(bytes(lwork)));
    }

    @Override
    void run(int b) {
        long a = at(0, b);
        long u = at(1, b), s = at(2, b), vt = at(3, b);
        int info = 1;
        if (finite(a, (long) m * n)) {
            copy(a, matrix, (long) m * n);
            info = lapack.gesdd(n, m, copy, operand(2, b), operand(3, b), operand(1, b), work, lwork, iwork);
        }
        if (info != 0) {
            fail(u, (long) m * k);
            fail(s, k);
            fail(vt, (long) k * n);
        }
        info(at(4, b), info);
    }
}
