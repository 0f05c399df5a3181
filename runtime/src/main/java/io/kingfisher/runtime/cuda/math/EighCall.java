package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.math.Factorizations.Problem;
import io.kingfisher.runtime.cuda.math.Solver.Sizes;

/** Eigenvalues and eigenvectors: cuSOLVER leaves vectors as columns by columns, which are rows here. */
final class EighCall extends SolverCall {
    private final Solver solver;
    private final boolean batched;
    private final long bad;
    private final long matrices;

    EighCall(Problem p, Solver solver) {
        super(p, sizes(p, solver));
        this.solver = solver;
        this.batched = batched(p, solver);
        this.bad = part(4 * p.batch());
        this.matrices = part(p.bytes(p.n() * p.n() * p.batch()));
    }

    private static boolean batched(Problem p, Solver solver) {
        return p.batch() > 1 && solver.hasSyevBatched();
    }

    private static Sizes sizes(Problem p, Solver solver) {
        return batched(p, solver)
                ? solver.syevBatchedSizes(p.dtype(), Codes.UPPER, p.n(), p.n(), p.batch())
                : solver.syevdSizes(p.dtype(), Codes.UPPER, p.n(), p.n());
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        long a = addresses[0], w = addresses[1], v = addresses[2], info = addresses[3];
        long n = p.n(), batch = p.batch(), flags = workspace + bad, copies = workspace + matrices;
        p.kernels().check(stream, a, flags, n, n, batch, true);
        p.kernels().load(stream, a, copies, flags, n, n, batch, false);
        if (batched) {
            solver.syevBatched(stream, p.dtype(), Codes.UPPER, n, copies, n, w, work(workspace), info, batch);
        } else {
            for (long b = 0; b < batch; b++) {
                long matrix = copies + p.bytes(b * n * n);
                solver.syevd(
                        stream,
                        p.dtype(),
                        Codes.UPPER,
                        n,
                        matrix,
                        n,
                        w + p.bytes(b * n),
                        work(workspace),
                        info + 4 * b);
            }
        }
        p.kernels().settle(stream, info, flags, batch);
        p.kernels().store(stream, w, w, info, 1, n, 0, 1, n, batch, 0);
        p.kernels().store(stream, copies, v, info, n, n, 1, n, n * n, batch, 0);
    }

    @Override
    public String what() {
        return "cuSOLVER " + (batched ? "XsyevBatched " : "Xsyevd ") + p;
    }
}
