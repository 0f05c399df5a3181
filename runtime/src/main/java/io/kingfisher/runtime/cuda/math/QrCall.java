package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.math.Factorizations.Problem;
import io.kingfisher.runtime.cuda.math.Solver.Sizes;

/** A = Q R of a copy by columns, matrix by matrix. */
final class QrCall extends SolverCall {
    private final Solver solver;
    private final long k;
    private final long bad;
    private final long orgqrInfo;
    private final long tau;
    private final long copies;

    QrCall(Problem p, Solver solver) {
        super(p, sizes(p, solver));
        this.solver = solver;
        this.k = Math.min(p.m(), p.n());
        this.bad = part(4 * p.batch());
        this.orgqrInfo = part(4 * p.batch());
        this.tau = part(p.bytes(k * p.batch()));
        this.copies = part(p.bytes(p.m() * p.n() * p.batch()));
    }

    private static Sizes sizes(Problem p, Solver solver) {
        int m = p.intM(), k = Math.min(m, p.intN());
        return solver.geqrfSizes(p.dtype(), m, p.n(), m).max(solver.orgqrSizes(p.dtype(), m, k, k, m));
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        long q = addresses[1], r = addresses[2], info = addresses[3];
        long m = p.m(), n = p.n(), batch = p.batch();
        long flags = workspace + bad, first = workspace + copies, taus = workspace + tau;
        p.kernels().check(stream, addresses[0], flags, m, n, batch, false);
        p.kernels().load(stream, addresses[0], first, flags, m, n, batch, true);
        for (long b = 0; b < batch; b++) {
            long a = first + p.bytes(b * m * n);
            solver.geqrf(stream, p.dtype(), m, n, a, m, taus + p.bytes(b * k), work(workspace), info + 4 * b);
        }
        p.kernels().settle(stream, info, flags, batch);
        p.kernels().store(stream, first, r, info, k, n, 1, m, m * n, batch, 2);
        int rows = p.intM(), columns = (int) k;
        for (long b = 0; b < batch; b++) {
            long a = first + p.bytes(b * m * n);
            solver.orgqr(
                    stream,
                    p.dtype(),
                    rows,
                    columns,
                    columns,
                    a,
                    rows,
                    taus + p.bytes(b * k),
                    work(workspace),
                    workspace + orgqrInfo + 4 * b);
        }
        p.kernels().store(stream, first, q, info, m, k, 1, m, m * n, batch, 0);
    }

    @Override
    public String what() {
        return "cuSOLVER Xgeqrf, orgqr " + p;
    }
}
