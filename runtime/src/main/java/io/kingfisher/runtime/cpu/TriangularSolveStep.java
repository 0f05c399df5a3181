package io.kingfisher.runtime.cpu;

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
    void run(int b) {
        long x = at(2, b);
        copy(at(1, b), x, (long) n * k);
        lapack.trsm(transpose, n, k, operand(0, b), operand(2, b));
    }
}
