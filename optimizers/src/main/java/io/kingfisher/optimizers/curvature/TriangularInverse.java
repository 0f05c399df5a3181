package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * A^-1 = R^T R, R = L^-1, from the Cholesky factor L of A, by halves: with dense halves n^3 flops for R and as many for the
 * product become 2/3 n^3 each, where a triangular solve for the identity and one product take n^3 and 2 n^3. All matrices are
 * [groups x n x n].
 */
final class TriangularInverse {
    /** Up to this many rows halves do not pay. */
    static final int WHOLE = 256;

    private TriangularInverse() {}

    /** (L L^T)^-1. */
    static Value symmetric(Value l) {
        return gram(inverse(l));
    }

    private static Value inverse(Value l) {
        Graph graph = l.graph();
        long n = l.dim(-1), half = n / 2;
        if (n <= WHOLE) {
            return LinearAlgebra.solve(l, Matrices.identity(graph, n, l.dtype()).broadcastTo(l.shape()), false);
        }
        Value first = inverse(block(l, 0, half, 0, half)), last = inverse(block(l, half, n, half, n));
        Value corner = last.matmul(block(l, half, n, 0, half).matmul(first)).neg();
        return join(first, graph.zeros(l.dtype(), Shape.of(l.dim(0), half, n - half)), corner, last);
    }

    /** R^T R of a lower triangular R. */
    private static Value gram(Value r) {
        long n = r.dim(-1), half = n / 2;
        if (n <= WHOLE) {
            return r.matmul(r, true, false);
        }
        Value corner = block(r, half, n, 0, half), last = block(r, half, n, half, n);
        Value first = gram(block(r, 0, half, 0, half)).add(corner.matmul(corner, true, false));
        Value mixed = last.matmul(corner, true, false);
        return join(first, mixed.t(), mixed, gram(last));
    }

    private static Value block(Value m, long top, long bottom, long left, long right) {
        return m.slice(1, top, bottom).slice(2, left, right);
    }

    private static Value join(Value topLeft, Value topRight, Value bottomLeft, Value bottomRight) {
        Graph graph = topLeft.graph();
        return graph.concat(
                1,
                List.of(
                        graph.concat(2, List.of(topLeft, topRight)),
                        graph.concat(2, List.of(bottomLeft, bottomRight))));
    }
}
