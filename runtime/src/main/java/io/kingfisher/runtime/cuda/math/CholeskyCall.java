package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.Factorizations.Problem;
import io.kingfisher.runtime.cuda.math.Solver.Sizes;

/** A = L L^T in place of L: by columns the lower triangle is the upper one, and its factor is L^T. */
final class CholeskyCall extends SolverCall {
    private final Solver solver;
    private final Driver driver;
    private final long array;

    CholeskyCall(Problem p, Solver solver, Driver driver) {
        super(p, p.batch() > 1 ? new Sizes(0, 0) : solver.potrfSizes(p.dtype(), Codes.UPPER, p.n(), p.n()));
        this.solver = solver;
        this.driver = driver;
        this.array = part(p.batch() > 1 ? 8 * p.batch() : 0);
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        long l = addresses[1], info = addresses[2], n = p.n();
        driver.copy(l, addresses[0], p.bytes(n * n * p.batch()), stream);
        if (p.batch() > 1) {
            p.kernels().pointers(stream, l, p.bytes(n * n), workspace + array, p.batch());
            solver.potrfBatched(
                    stream, p.dtype(), Codes.UPPER, p.intN(), workspace + array, p.intN(), info, p.intBatch());
        } else {
            solver.potrf(stream, p.dtype(), Codes.UPPER, n, l, n, work(workspace), info);
        }
        p.kernels().pivots(stream, l, info, n, p.batch());
        p.kernels().store(stream, l, l, info, n, n, n, 1, n * n, p.batch(), 1);
    }

    @Override
    public String what() {
        return "cuSOLVER potrf" + (p.batch() > 1 ? "Batched " : " ") + p;
    }
}
