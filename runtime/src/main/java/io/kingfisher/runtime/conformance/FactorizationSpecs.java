package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Factorizations: what is unique of their results, what they promise of the rest, failures, and derivatives. */
final class FactorizationSpecs {
    /** The matrices here have condition numbers up to a hundred, and derivatives amplify by some more. */
    private static final Tolerance TOLERANCE = Tolerance.SUM.times(20);

    private static final double NAN = Double.NaN;

    private FactorizationSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(10);
        List<Spec> specs = new ArrayList<>();
        for (long[] shape : new long[][] {{1, 1}, {3, 3}, {7, 7}, {2, 4, 4}, {2, 1, 3, 3}, {0, 3, 3}, {33, 33}}) {
            int order = shape[shape.length - 1] > 10 ? 0 : 2;
            Operand a = Operand.random(random, t, shape);
            specs.add(Spec.several("Cholesky", TOLERANCE, (g, v) -> cholesky(g, positive(v.get(0))), a)
                    .upTo(order));
            specs.add(Spec.several("eigenvalues and vectors", TOLERANCE, FactorizationSpecs::eigen, a)
                    .upTo(order));
            long[] right = shape.clone();
            right[right.length - 1] = 2;
            Operand b = Operand.random(random, t, right);
            for (boolean transpose : new boolean[] {false, true}) {
                specs.add(Spec.smooth(
                                "triangular solve" + (transpose ? " transposed" : ""),
                                TOLERANCE,
                                (_, v) -> LinearAlgebra.solve(
                                        v.get(0).mul(0.3).add(eye(v.get(0), 2)), v.get(1), transpose),
                                a,
                                b)
                        .upTo(order));
            }
            specs.add(Spec.smooth(
                            "eigenbasis",
                            TOLERANCE,
                            (g, v) -> {
                                List<Value> e = g.add(new LinearAlgebra.Eigh(), positive(v.get(0)))
                                        .outputs();
                                Value scaled = e.get(1).mul(row(e.get(0).log()));
                                return scaled.matmul(e.get(1), false, true);
                            },
                            a)
                    .upTo(order == 2 && shape[shape.length - 1] > 1 ? 1 : order));
        }
        for (long[] shape :
                new long[][] {{1, 1}, {3, 3}, {5, 3}, {3, 5}, {1, 4}, {4, 1}, {2, 4, 3}, {0, 3, 2}, {40, 17}}) {
            Operand a = Operand.random(random, t, shape);
            specs.add(Spec.several("QR", TOLERANCE, FactorizationSpecs::qr, a).upTo(0));
            specs.add(Spec.several("SVD", TOLERANCE, FactorizationSpecs::svd, a).upTo(0));
        }
        failures(specs, t);
        return specs;
    }

    private static void failures(List<Spec> specs, DType t) {
        Operand indefinite = Operand.of(t, Shape.of(3, 2, 2), 4, NAN, 2, 5, 1, 2, 2, 1, NAN, 0, 0, 1);
        specs.add(Spec.several("Cholesky of what is not positive", TOLERANCE, FactorizationSpecs::cholesky, indefinite)
                .upTo(0));
        Operand singular = Operand.of(t, Shape.of(3, 3), 0, 0, 0, 0, 0, 0, 0, 0, 0);
        specs.add(Spec.several("Cholesky of zeros", TOLERANCE, FactorizationSpecs::cholesky, singular)
                .upTo(0));
        Operand lower = Operand.of(t, Shape.of(2, 2), 2, NAN, 1, 4);
        specs.add(Spec.several("Cholesky reads the lower part", TOLERANCE, FactorizationSpecs::cholesky, lower)
                .upTo(0));
        specs.add(Spec.several("eigenvalues read the lower part", TOLERANCE, FactorizationSpecs::eigh, lower)
                .upTo(0));
        specs.add(Spec.smooth(
                        "triangular solve reads the lower part",
                        TOLERANCE,
                        (_, v) -> LinearAlgebra.solve(v.get(0), v.get(1), false),
                        lower,
                        Operand.of(t, Shape.of(2, 1), 4, 6))
                .upTo(0));
        Operand same = Operand.of(t, Shape.of(3, 3), 2, 0, 0, 0, 2, 0, 0, 0, 2);
        specs.add(Spec.several("eigenvalues that are equal", TOLERANCE, FactorizationSpecs::promises, same)
                .upTo(0));
        specs.add(Spec.several("eigenvalues of zeros", TOLERANCE, FactorizationSpecs::promises, singular)
                .upTo(0));
        specs.add(Spec.several("SVD of zeros", TOLERANCE, FactorizationSpecs::svd, singular)
                .upTo(0));
        Operand lowRank = Operand.of(t, Shape.of(3, 3), 1, 2, 3, 2, 4, 6, -1, -2, -3);
        specs.add(Spec.several("SVD of rank one", TOLERANCE.floor(1), FactorizationSpecs::svd, lowRank)
                .upTo(0));
        specs.add(Spec.several(
                        "QR of zeros",
                        TOLERANCE,
                        (g, v) -> {
                            List<Value> f =
                                    g.add(new LinearAlgebra.Qr(), v.get(0)).outputs();
                            return List.of(f.get(1), f.get(0).matmul(f.get(0), true, false), f.get(2));
                        },
                        singular)
                .upTo(0));
        Operand broken = Operand.of(t, Shape.of(3, 2, 2), 1, 0, NAN, 1, 2, 0, 0, 3, 1, 1, Double.POSITIVE_INFINITY, 1);
        specs.add(Spec.several(
                        "eigenvalues of what is not finite",
                        TOLERANCE,
                        (g, v) -> failing(
                                g.add(new LinearAlgebra.Eigh(), v.get(0)).outputs()),
                        broken)
                .upTo(0));
        specs.add(Spec.several(
                        "QR of what is not finite",
                        TOLERANCE,
                        (g, v) ->
                                failing(g.add(new LinearAlgebra.Qr(), v.get(0)).outputs()),
                        broken)
                .upTo(0));
        specs.add(Spec.several(
                        "SVD of what is not finite",
                        TOLERANCE,
                        (g, v) ->
                                failing(g.add(new LinearAlgebra.Svd(), v.get(0)).outputs()),
                        broken)
                .upTo(0));
        Operand graded = Operand.of(t, Shape.of(3, 3), 1e6, 0, 0, 1, 1, 0, 1e-3, 1e-4, 1e-6);
        specs.add(Spec.several(
                        "eigenvalues of several magnitudes",
                        TOLERANCE,
                        (g, v) -> {
                            List<Value> e =
                                    g.add(new LinearAlgebra.Eigh(), v.get(0)).outputs();
                            return List.of(e.get(0), e.get(2));
                        },
                        graded)
                .upTo(0));
    }

    /** Magnitudes of what remains, and whether info says that there was a failure. */
    private static List<Value> failing(List<Value> outputs) {
        List<Value> seen = new ArrayList<>();
        for (Value output : outputs.subList(0, outputs.size() - 1)) {
            seen.add(output.abs());
        }
        seen.add(outputs.get(outputs.size() - 1).equalTo(output(outputs, 0)));
        return seen;
    }

    private static Value output(List<Value> outputs, double value) {
        return outputs.get(0).graph().fill(value, DType.F32, Shape.SCALAR);
    }

    private static List<Value> cholesky(Graph g, List<Value> v) {
        return cholesky(g, v.get(0));
    }

    private static List<Value> cholesky(Graph g, Value a) {
        return g.add(new LinearAlgebra.Cholesky(), a).outputs();
    }

    private static List<Value> eigh(Graph g, List<Value> v) {
        List<Value> e = g.add(new LinearAlgebra.Eigh(), v.get(0)).outputs();
        return List.of(e.get(0), e.get(1).abs(), e.get(2));
    }

    /** Eigenvectors are unique up to their signs where the eigenvalues are apart. */
    private static List<Value> eigen(Graph g, List<Value> v) {
        Value x = v.get(0);
        int n = (int) x.dim(-1);
        double[] apart = new double[n * n];
        for (int i = 0; i < n; i++) {
            apart[i * n + i] = 3 * i;
        }
        Value symmetric = x.add(x.t()).add(g.constant(x.dtype(), Shape.of(n, n), apart));
        return eigh(g, List.of(symmetric));
    }

    private static List<Value> promises(Graph g, List<Value> v) {
        List<Value> e = g.add(new LinearAlgebra.Eigh(), v.get(0)).outputs();
        Value vectors = e.get(1);
        Value again = vectors.mul(row(e.get(0))).matmul(vectors, false, true);
        return List.of(e.get(0), again, vectors.matmul(vectors, true, false), e.get(2));
    }

    /** R is unique up to the signs of its rows; Q R is A; Q has orthonormal columns. */
    private static List<Value> qr(Graph g, List<Value> v) {
        List<Value> f = g.add(new LinearAlgebra.Qr(), v.get(0)).outputs();
        Value q = f.get(0), r = f.get(1);
        return List.of(r.abs(), q.matmul(r), q.matmul(q, true, false), f.get(2));
    }

    private static List<Value> svd(Graph g, List<Value> v) {
        List<Value> f = g.add(new LinearAlgebra.Svd(), v.get(0)).outputs();
        Value u = f.get(0), s = f.get(1), vt = f.get(2);
        Value again = u.mul(row(s)).matmul(vt);
        return List.of(s, again, u.matmul(u, true, false), vt.matmul(vt, false, true), f.get(3));
    }

    private static Value row(Value perColumn) {
        long[] shape = perColumn.shape().toArray();
        long[] wide = Arrays.copyOf(shape, shape.length + 1);
        wide[shape.length] = shape[shape.length - 1];
        wide[shape.length - 1] = 1;
        return perColumn.reshape(Shape.of(wide));
    }

    /** X X^T + I. */
    private static Value positive(Value x) {
        return x.matmul(x, false, true).add(eye(x, 1));
    }

    private static Value eye(Value like, double scale) {
        int n = (int) like.dim(-1);
        double[] values = new double[n * n];
        for (int i = 0; i < n; i++) {
            values[i * n + i] = scale;
        }
        return like.graph().constant(like.dtype(), Shape.of(n, n), values);
    }
}
