package io.kingfisher.runtime.cpu;

/** Eigenvalues and eigenvectors of a symmetric matrix: LAPACK leaves the vectors as columns by columns, which are rows. */
final class EighStep extends CopiedMatrixStep {
    private final int n;
    private final int liwork;

    EighStep(Lapack lapack, int n) {
        this(lapack, n, lapack.syevdLengths(n));
    }

    private EighStep(Lapack lapack, int n, int[] lengths) {
        super(lapack, (long) n * n, lengths[0], lengths[1]);
        this.n = n;
        this.liwork = lengths[1];
    }

    @Override
    String routine() {
        return "syevd";
    }

    @Override
    void run(int b) {
        long a = at(0, b), w = at(1, b), v = at(2, b);
        int info = 1;
        if (finiteLower(a)) {
            take(a);
            info = lapack.syevd(n, matrix(), operand(1, b), work(), lwork(), integers(), liwork);
        }
        if (info == 0) {
            transpose(matrix().address(), v, n, n);
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
