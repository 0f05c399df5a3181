package io.kingfisher.runtime.cpu;

/** A = U S V^T. By columns LAPACK sees A^T = V S U^T, and the memory of its factors is that of V^T and U by rows. */
final class SvdStep extends CopiedMatrixStep {
    private final int m;
    private final int n;
    private final int k;

    SvdStep(Lapack lapack, int m, int n) {
        super(lapack, (long) m * n, lapack.gesddLengths(n, m)[0], 8L * Math.min(m, n));
        this.m = m;
        this.n = n;
        this.k = Math.min(m, n);
    }

    @Override
    String routine() {
        return "gesdd";
    }

    @Override
    void run(int b) {
        long a = at(0, b);
        long u = at(1, b), s = at(2, b), vt = at(3, b);
        int info = 1;
        if (finite(a, (long) m * n)) {
            take(a);
            info = lapack.gesdd(
                    n, m, matrix(), operand(2, b), operand(3, b), operand(1, b), work(), lwork(), integers());
        }
        if (info != 0) {
            fail(u, (long) m * k);
            fail(s, k);
            fail(vt, (long) k * n);
        }
        info(at(4, b), info);
    }
}
