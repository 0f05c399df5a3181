package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;

/**
 * Eigenvectors that follow a symmetric positive semi-definite matrix A: one step of power iteration from those of before, the
 * larger eigenvalues first, made orthonormal again by QR (Golub and Van Loan, Matrix Computations, section 8.2.4).
 */
public final class OrthogonalIteration {
    private OrthogonalIteration() {}

    /**
     * @param basis the new eigenvectors [groups x n x n] in columns
     * @param order [groups x n x n], 1 at (j, k) where what was column j before the step is column k of the new ones
     * @param info [groups]: 0 where the QR succeeded
     */
    public record Step(Value basis, Value order, Value info) {}

    /** One step from a basis Q [groups x n x n] of A: QR of A Q, columns by the size of diag(Q^T A Q). */
    public static Step step(Value a, Value basis) {
        Value moved = a.matmul(basis);
        Value order = descending(moved.mul(basis).sum(1));
        Node qr = a.graph().add(new LinearAlgebra.Qr(), moved.matmul(order));
        return new Step(qr.output(0), order, qr.output(2));
    }

    /** The permutations [groups x n x n] that sort rows [groups x n], largest first; equal ones keep their order. */
    static Value descending(Value rows) {
        Graph graph = rows.graph();
        long groups = rows.dim(0), n = rows.dim(1);
        Value index = graph.iota(DType.I32, Math.toIntExact(n));
        Expr other = Expr.arg(0), own = Expr.arg(1);
        Expr ahead = own.lessThan(other).add(other.equalTo(own).mul(Expr.arg(2).lessThan(Expr.arg(3))));
        Value place = graph.map(
                        ahead,
                        rows.reshape(groups, n, 1),
                        rows.reshape(groups, 1, n),
                        index.reshape(1, n, 1),
                        index.reshape(1, 1, n))
                .sum(1);
        return place.reshape(groups, n, 1).equalTo(index.reshape(1, 1, n)).cast(rows.dtype());
    }
}
