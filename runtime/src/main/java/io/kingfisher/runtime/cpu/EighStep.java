package io.kingfisher.runtime.cpu;

import java.lang.foreign.MemorySegment;

/** Eigenvalues and eigenvectors of a symmetric matrix: LAPACK leaves the vectors as columns by columns, which are rows. */
final class EighStep extends MatrixStep {
    private final int n;
    private final int lwork;
    private final int liwork;
    private long vectors;
    private MemorySegment matrix;
    private MemorySegment work;
    private MemorySegment iwork;

    EighStep(Lapack lapack, int n) {
        super(lapack);
        this.n = n;
        int[] lengths = lapack.syevdLengths(n);
        this.lwork = lengths[0];
        this.liwork = lengths[1];
    }

    @Override
    String routine() {
        return "syevd";
    }

    @Override
    long scratchBytes() {
        return aligned(bytes((long) n * n)) + aligned(bytes(lwork)) + 4L * liwork;
    }

    @Override
    void place(long scratch) {
        vectors = scratch;
        matrix = MemorySegment.ofAddress(scratch);
        long at = scratch + aligned(bytes((long) n * n));
        work = MemorySegment.ofAddress(at);
        iwork = MemorySegment.ofAddress(at + aligned(bytes(lwork)));
    }

    @Override
    void run(int b) {
        long a = at(0, b), w = at(1, b), v = at(2, b);
        int info = 1;
        if (finiteLower(a)) {
            copy(a, vectors, (long) n * n);
            info = lapack.syevd(n, matrix, operand(1, b), work, lwork, iwork, liwork);
        }
        if (info == 0) {
            transpose(vectors, v, n, n);
        } else {
            fail(w, n);
            fail(v, (long) n * n);
        }
        info(at(3, b), info);
    }

    /** LAPACK would iterate on what is not finite without saying so. */
    private boolean finiteLower(long a) {
        for (int i = 0; i < n; i++) {
            if (!finite(a + bytes((long) i * n), i + 1)) {
                return false;
            }
        }
        return true;
    }
}
