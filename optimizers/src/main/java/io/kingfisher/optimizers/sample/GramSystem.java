package io.kingfisher.optimizers.sample;

import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;

/** Systems (K + damping I) y = b in the space of samples, solved in F64 by Cholesky. */
final class GramSystem {
    /** Rows beyond which a Gram matrix (512 MiB in F64) is refused. */
    static final long MOST_ROWS = 8192;

    /** The least damping as a share of the largest diagonal element: what the sums of a Gram matrix are exact to. */
    static final double FLOOR = 1e-12;

    private GramSystem() {}

    /**
     * A solution.
     *
     * @param y F64 [M]; without meaning where it is not solved
     * @param solved 1 where the system was solved and all of y is finite, else 0; an F32 scalar
     */
    record Solution(Value y, Value solved) {}

    /** Refuses what would be too large, before it is recorded. */
    static void check(String method, long rows) {
        if (rows > MOST_ROWS) {
            throw new KingfisherException(method + " solves a system with a row for each sample and output, here "
                    + rows + ", of at most " + MOST_ROWS + "; use a smaller batch.");
        }
    }

    /** The solution for K [M x M] and b [M], both F64. */
    static Solution solve(Value gram, double damping, Value b) {
        Graph graph = gram.graph();
        long m = gram.dim(0);
        Value eye = Matrices.identity(graph, m, DType.F64);
        Value largest = gram.mul(eye).max();
        Expr ridge = Expr.of(damping).max(Expr.arg(2).mul(FLOOR));
        Value damped =
                graph.map(Expr.arg(0).add(Expr.arg(1).mul(ridge)), DType.F64, java.util.List.of(gram, eye, largest));
        Node cholesky = graph.add(new LinearAlgebra.Cholesky(), damped);
        Value l = cholesky.output(0);
        Value y = b.reshape(m, 1);
        for (boolean transpose : new boolean[] {false, true}) {
            y = graph.add(new LinearAlgebra.TriangularSolve(transpose), l, y).output(0);
        }
        Value flat = y.reshape(m);
        // The sum of zeros is 0 where all are finite.
        Value finite = flat.mul(0).sum().cast(DType.F32).map(Expr.arg(0).equalTo(Expr.of(0)));
        Value factored = cholesky.output(1).cast(DType.F32).map(Expr.arg(0).equalTo(Expr.of(0)));
        return new Solution(flat, finite.mul(factored));
    }

    /**
     * Leaves samples out whose gradient is nearly parallel to an earlier one's, as their system has no solution but a large
     * one: the rows and columns become those of the identity times the largest diagonal element.
     *
     * @param cosine above which two are parallel; 1 for none
     * @return what is kept, 1 or 0 for each sample, F64 [M]
     */
    static Value distinct(Value gram, double cosine) {
        Graph graph = gram.graph();
        int m = Math.toIntExact(gram.dim(0));
        Value eye = Matrices.identity(graph, m, DType.F64);
        Value lengths = gram.mul(eye).sum(1).sqrt();
        Value later = graph.iota(DType.I32, m).reshape(m, 1), earlier = graph.iota(DType.I32, m);
        Expr bound = Expr.arg(1).mul(Expr.arg(2)).mul(cosine);
        Expr parallel = bound.lessThan(Expr.arg(0)).mul(Expr.arg(4).lessThan(Expr.arg(3)));
        Value found =
                graph.map(parallel, DType.F64, java.util.List.of(gram, lengths.reshape(m, 1), lengths, later, earlier));
        return found.max(1).map(Expr.of(1).sub(Expr.arg(0)));
    }

    /** K with the rows and columns that are not kept replaced by those of a multiple of the identity. */
    static Value without(Value gram, Value kept) {
        Graph graph = gram.graph();
        long m = gram.dim(0);
        Value eye = Matrices.identity(graph, m, DType.F64);
        Value largest = gram.mul(eye).max();
        Expr both = Expr.arg(1).mul(Expr.arg(2));
        Expr result =
                Expr.arg(0).mul(both).add(Expr.arg(3).mul(Expr.of(1).sub(both)).mul(Expr.arg(4)));
        return graph.map(result, DType.F64, java.util.List.of(gram, kept.reshape(m, 1), kept, eye, largest));
    }
}
