package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.math.Factorizations.Problem;

/**
 * A = U S V^T, matrix by matrix. cuSOLVER wants at least as many rows as columns: a tall A is transposed in memory so that it
 * lies by columns; a wide A, as it lies, is A^T = V S U^T by columns, whose factors lie as V^T and U by rows.
 */
final class SvdCall extends SolverCall {
    private final Solver solver;
    private final boolean tall;
    private final long rows;
    private final long k;
    private final long bad;
    private final long copies;
    private final long left;
    private final long right;

    SvdCall(Problem p, Solver solver) {
        super(p, solver.gesvdSizes(p.dtype(), rows(p), k(p), rows(p), rows(p), k(p)));
        this.solver = solver;
        this.tall = p.m() > p.n();
        this.rows = rows(p);
        this.k = k(p);
        this.bad = part(4 * p.batch());
        this.copies = part(p.bytes(rows * k * p.batch()));
        this.left = part(p.bytes(rows * k * p.batch()));
        this.right = part(p.bytes(k * k * p.batch()));
    }

    private static long rows(Problem p) {
        return Math.max(p.m(), p.n());
    }

    private static long k(Problem p) {
        return Math.min(p.m(), p.n());
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        long u = addresses[1], s = addresses[2], vt = addresses[3], info = addresses[4];
        long batch = p.batch(), flags = workspace + bad;
        long a = workspace + copies, first = workspace + left, second = workspace + right;
        p.kernels().check(stream, addresses[0], flags, p.m(), p.n(), batch, false);
        p.kernels().load(stream, addresses[0], a, flags, p.m(), p.n(), batch, tall);
        for (long b = 0; b < batch; b++) {
            solver.gesvd(
                    stream,
                    p.dtype(),
                    rows,
                    k,
                    a + p.bytes(b * rows * k),
                    rows,
                    s + p.bytes(b * k),
                    first + p.bytes(b * rows * k),
                    rows,
                    second + p.bytes(b * k * k),
                    k,
                    work(workspace),
                    info + 4 * b);
        }
        p.kernels().settle(stream, info, flags, batch);
        p.kernels().store(stream, s, s, info, 1, k, 0, 1, k, batch, 0);
        if (tall) {
            p.kernels().store(stream, first, u, info, rows, k, 1, rows, rows * k, batch, 0);
            p.kernels().store(stream, second, vt, info, k, k, 1, k, k * k, batch, 0);
        } else {
            p.kernels().store(stream, second, u, info, k, k, k, 1, k * k, batch, 0);
            p.kernels().store(stream, first, vt, info, k, rows, rows, 1, rows * k, batch, 0);
        }
    }

    @Override
    public String what() {
        return "cuSOLVER Xgesvd " + p;
    }
}
