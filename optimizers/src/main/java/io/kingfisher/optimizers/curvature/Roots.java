package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.Map;
import java.util.function.Function;

/**
 * Inverse p-th roots (A + ridge I)^(-1/p) of symmetric positive semi-definite matrices [groups x n x n], F32 or F64, by
 * eigenvalues and eigenvectors.
 */
public final class Roots {
    /**
     * What is added to the diagonal.
     *
     * @param epsilon above 0
     * @param relative whether it is a multiple of the largest eigenvalue (at least 1e-30) or the number itself
     */
    public record Ridge(double epsilon, boolean relative) {
        public Ridge {
            if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
                throw new KingfisherException(
                        "A root needs a finite ridge above 0 under the matrix, not " + epsilon + ".");
            }
        }

        Expr of(Expr largest) {
            return relative ? largest.max(Expr.of(1e-30)).mul(epsilon) : Expr.of(epsilon);
        }
    }

    /**
     * A root and whether it came about.
     *
     * @param info [groups]: 0 where it did
     */
    public record Root(Value root, Value info) {}

    private Roots() {}

    /** The root of a matrix that a program reads, as one of its {@link Decompositions}. */
    public static Decompositions.Job job(
            String path, Function<Graph, Value> matrix, double p, Ridge ridge, Tensor result) {
        return new Decompositions.Routine(path, matrix, a -> {
            Root root = inverse(a, p, ridge);
            return new Decompositions.Outcome(root.info(), Map.of(result, root.root()));
        });
    }

    /** V (w + ridge)^(-1/p) V^T by the eigenvalues w, of which those that rounding made negative are 0; p is above 0. */
    public static Root inverse(Value a, double p, Ridge ridge) {
        Graph graph = a.graph();
        Node eigh = graph.add(new LinearAlgebra.Eigh(), a);
        Value values = eigh.output(0), vectors = eigh.output(1);
        long groups = a.dim(0), n = a.dim(-1);
        Value largest = values.slice(1, n - 1, n).reshape(groups, 1, 1);
        Expr power = Expr.arg(0).max(Expr.of(0)).add(ridge.of(Expr.arg(1))).pow(-1 / p);
        Value scaled = graph.map(
                Expr.arg(2).mul(power), a.dtype(), java.util.List.of(values.reshape(groups, 1, n), largest, vectors));
        return new Root(scaled.matmul(vectors, false, true), eigh.output(2));
    }
}
