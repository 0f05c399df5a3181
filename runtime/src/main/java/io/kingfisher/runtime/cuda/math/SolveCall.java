package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.Factorizations.Problem;

/** X of op(A) X = B. By columns this is X^T op(A)^T = B^T with A^T, upper: the triangle stands on the right. */
final class SolveCall implements Call {
    private final Problem p;
    private final Blas blas;
    private final Driver driver;
    private final int right;
    private final int trans;

    SolveCall(Problem p, Blas blas, Driver driver, long right, boolean transpose) {
        this.p = p;
        this.blas = blas;
        this.driver = driver;
        this.right = Math.toIntExact(right);
        this.trans = transpose ? Codes.TRANSPOSED : Codes.PLAIN;
    }

    @Override
    public long workspaceBytes() {
        return p.batch() > 1 ? 2 * arrayBytes() : 0;
    }

    private long arrayBytes() {
        return (8 * p.batch() + 255) & -256;
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        int n = p.intN();
        long a = addresses[0], x = addresses[2], size = p.bytes((long) n * right);
        driver.copy(x, addresses[1], size * p.batch(), stream);
        if (p.batch() == 1) {
            blas.trsm(stream, p.dtype(), Codes.RIGHT, Codes.UPPER, trans, right, n, a, n, x, right);
            return;
        }
        long second = workspace + arrayBytes();
        p.kernels().pointers(stream, a, p.bytes((long) n * n), workspace, p.batch());
        p.kernels().pointers(stream, x, size, second, p.batch());
        blas.trsmBatched(
                stream,
                p.dtype(),
                Codes.RIGHT,
                Codes.UPPER,
                trans,
                right,
                n,
                workspace,
                n,
                second,
                right,
                p.intBatch());
    }

    @Override
    public boolean capturable() {
        return true;
    }

    @Override
    public String what() {
        return "cuBLAS trsm" + (p.batch() > 1 ? "Batched " : " ") + p + " for " + right;
    }

    @Override
    public void close() {}
}
