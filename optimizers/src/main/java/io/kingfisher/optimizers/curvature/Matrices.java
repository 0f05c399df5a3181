package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;

/** Small things that are said of matrices [groups x n x n]. */
public final class Matrices {
    private Matrices() {}

    /** The identity [n x n]. */
    public static Value identity(Graph graph, long n, DType dtype) {
        int size = Math.toIntExact(n);
        return graph.iota(DType.I32, size)
                .reshape(n, 1)
                .equalTo(graph.iota(DType.I32, size))
                .cast(dtype);
    }

    /** The trace of each matrix, [groups x 1 x 1]. */
    public static Value trace(Value a) {
        return a.mul(identity(a.graph(), a.dim(-1), a.dtype())).sum(1, 2).reshape(a.dim(0), 1, 1);
    }

    /** A + by I for each matrix; {@code by} broadcasts to [groups x 1 x 1]. */
    public static Value damped(Value a, Value by) {
        Value eye = identity(a.graph(), a.dim(-1), a.dtype());
        return a.graph().map(Expr.arg(0).add(Expr.arg(1).mul(Expr.arg(2))), a, eye, by);
    }

    /** The inner product of two arrays of one shape, a scalar. */
    public static Value dot(Value a, Value b) {
        return a.mul(b).sum();
    }
}
