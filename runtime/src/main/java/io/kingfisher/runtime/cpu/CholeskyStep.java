package io.kingfisher.runtime.cpu;

/** A = L L^T. By columns LAPACK sees the lower triangle as the upper one and makes L^T of it, in place. */
final class CholeskyStep extends MatrixStep {
    private final int n;

    CholeskyStep(Lapack lapack, int n) {
        super(lapack);
        this.n = n;
    }

    @Override
    String routine() {
        return "potrf";
    }

    @Override
    long scratchBytes() {
        return 0;
    }

    @Override
    void place(long scratch) {}

    @Override
    void run(int b) {
        long l = at(1, b);
        copy(at(0, b), l, (long) n * n);
        int info = lapack.potrf(n, operand(1, b));
        // A NaN passes OpenBLAS's own test of the pivots.
        for (int i = 0; i < n && info == 0; i++) {
            if (!(get(l, (long) i * n + i) > 0)) {
                info = i + 1;
            }
        }
        if (info != 0) {
            fail(l, (long) n * n);
        } else {
            for (int i = 0; i < n; i++) {
                for (int j = i + 1; j < n; j++) {
                    set(l, (long) i * n + j, 0);
                }
            }
        }
        info(at(2, b), info);
    }
}
