package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.util.function.Function;

/**
 * Factorizations by cuSOLVER and triangular solves by cuBLAS. By columns they see a row-major matrix transposed: a lower
 * triangle is the upper one, a symmetric matrix is the same, an SVD changes U with V.
 */
final class Factorizations {
    private final Blas blas;
    private final Solver solver;
    private final Driver driver;
    private final Function<DType, MatrixKernels> kernels;

    Factorizations(Blas blas, Solver solver, Driver driver, Function<DType, MatrixKernels> kernels) {
        this.blas = blas;
        this.solver = solver;
        this.driver = driver;
        this.kernels = kernels;
    }

    Call factorization(Factorization f) {
        if (f.dtype() != DType.F32 && f.dtype() != DType.F64) {
            throw new KingfisherException("A factorization is in F32 or F64, not " + f.dtype() + ".");
        }
        Shape a = f.operands().getFirst();
        Problem p = new Problem(
                f.dtype(), a.dim(-2), a.dim(-1), a.elements() / (a.dim(-2) * a.dim(-1)), kernels.apply(f.dtype()));
        return switch (f.op()) {
            case LinearAlgebra.Cholesky _ -> new CholeskyCall(p, solver, driver);
            case LinearAlgebra.TriangularSolve(boolean transpose) ->
                new SolveCall(p, blas, driver, f.operands().get(1).dim(-1), transpose);
            case LinearAlgebra.Eigh _ -> new EighCall(p, solver);
            case LinearAlgebra.Qr _ -> new QrCall(p, solver);
            case LinearAlgebra.Svd _ -> new SvdCall(p, solver);
        };
    }

    /** A batch of equal row-major matrices [m x n]. */
    record Problem(DType dtype, long m, long n, long batch, MatrixKernels kernels) {
        long bytes(long elements) {
            return elements * dtype.bytes();
        }

        int intM() {
            return Math.toIntExact(m);
        }

        int intN() {
            return Math.toIntExact(n);
        }

        int intBatch() {
            return Math.toIntExact(batch);
        }

        @Override
        public String toString() {
            return (batch == 1 ? "" : batch + " of ") + m + "x" + n + " " + dtype;
        }
    }
}
