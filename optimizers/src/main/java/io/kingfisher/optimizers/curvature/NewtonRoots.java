package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Inverse p-th roots (A + ridge I)^(-1/p) of symmetric positive semi-definite matrices [groups x n x n] by products alone: a
 * coupled Newton iteration (Guo and Higham, SIAM J. Matrix Anal. Appl., 2006, iteration 3.9) of all of them at once.
 *
 * <pre>
 * X = z^(1/p) I, M = z (A + ridge I), z = (1 + p) / (2 |A + ridge I|), the Frobenius norm
 * T = ((p + 1) I - M) / p; X = X T, which tends to the root; M = T^p M, which tends to I
 * </pre>
 *
 * <p>A matrix stops where M is near I, or where a step near the end brought it no nearer. Where the iteration fails, the
 * {@link Decompositions} that take its result over go on with eigenvalues in double precision.
 */
public final class NewtonRoots implements AutoCloseable {
    /** An eigenvalue that is 1e-6 of the largest takes 16 steps to come near 1 for p = 4, and the last digits five more. */
    private static final int STEPS = 40;

    /** Below this distance from I the iteration has as many digits as F32 gives. */
    private static final double CLOSE = 1e-6;

    /** Above this it has failed. */
    private static final double FAR = 0.1;

    /** A matrix, and where the iteration is: X, M, its distance from I, and 1 while it goes on. */
    private record Matrix(
            String path,
            Function<Graph, Value> read,
            int p,
            Roots.Ridge ridge,
            Tensor x,
            Tensor m,
            Tensor distance,
            Tensor going) {}

    private final Device device;
    private final List<Matrix> matrices = new ArrayList<>();
    private Program start;
    private Program step;

    public NewtonRoots(Device device) {
        this.device = device;
    }

    /**
     * Adds matrices, before the first {@link #run}.
     *
     * @param shape [groups x n x n]
     * @param p a whole number from 1 to 64
     * @return the job that takes the root over, to be run after each {@link #run}
     */
    public Decompositions.Job add(
            String path, Function<Graph, Value> matrix, Shape shape, double p, Roots.Ridge ridge, Tensor result) {
        if (p < 1 || p != Math.rint(p) || p > 64) {
            throw new KingfisherException(
                    "A coupled Newton iteration takes inverse roots of a whole order from 1 to 64," + " not " + p
                            + "; use the eigendecomposition.");
        }
        Shape flags = Shape.of(shape.dim(0), 1, 1);
        Matrix added = new Matrix(
                path,
                matrix,
                (int) p,
                ridge,
                device.allocate(DType.F32, shape),
                device.allocate(DType.F32, shape),
                device.allocate(DType.F32, flags),
                device.allocate(DType.F32, flags));
        matrices.add(added);
        return new Decompositions.Routine(path, matrix, a -> {
            if (a.dtype() == DType.F64) {
                Roots.Root root = Roots.inverse(a, p, ridge);
                return new Decompositions.Outcome(root.info(), Map.of(result, root.root()));
            }
            Value failed = a.graph()
                    .read(added.distance())
                    .map(Expr.of(1).sub(Expr.arg(0).lessOrEqual(Expr.of(FAR))))
                    .reshape(shape.dim(0));
            return new Decompositions.Outcome(failed, Map.of(result, a.graph().read(added.x())));
        });
    }

    /** Iterates until no matrix goes on. */
    public void run() {
        if (start == null) {
            start = compile(NewtonRoots::begin);
            step = compile(NewtonRoots::go);
        }
        start.replay();
        for (int i = 0; i < STEPS; i++) {
            step.replay();
            if (step.output("going").item() == 0) {
                break;
            }
        }
    }

    private interface Part {
        Value record(Graph graph, Matrix matrix);
    }

    private Program compile(Part part) {
        Graph graph = new Graph();
        List<Value> going = new ArrayList<>();
        going.add(graph.scalar(0));
        for (Matrix matrix : matrices) {
            try (Graph.Scope _ = graph.scope("curvature." + matrix.path())) {
                going.add(part.record(graph, matrix).sum());
            }
        }
        graph.output("going", graph.sum(going));
        return device.compile(graph);
    }

    private static Value begin(Graph graph, Matrix matrix) {
        Value a = matrix.read().apply(graph).cast(DType.F32);
        int p = matrix.p();
        Value eye = Matrices.identity(graph, a.dim(-1), a.dtype());
        Expr ridged = Expr.arg(0).add(Expr.arg(1).mul(matrix.ridge().of(Expr.arg(2))));
        Value damped = graph.map(ridged, a, eye, matrix.ridge().relative() ? largest(a) : graph.scalar(0));
        Value z = norm(damped).map(Expr.of((1 + p) / 2.0).div(Expr.arg(0)));
        Value m = damped.mul(z), distance = distance(m, eye);
        Value going = distance.map(Expr.of(CLOSE).lessThan(Expr.arg(0)));
        graph.assign(matrix.x(), z.map(Expr.arg(0).pow(1.0 / p)).mul(eye));
        graph.assign(matrix.m(), m);
        graph.assign(matrix.distance(), distance);
        graph.assign(matrix.going(), going);
        return going;
    }

    private static Value go(Graph graph, Matrix matrix) {
        Value x = graph.read(matrix.x()), m = graph.read(matrix.m()), going = graph.read(matrix.going());
        int p = matrix.p();
        Value eye = Matrices.identity(graph, x.dim(-1), x.dtype());
        Expr factor = Expr.arg(0).mul(p + 1).sub(Expr.arg(1)).mul(1.0 / p);
        Value t = graph.map(Expr.select(Expr.arg(2), factor, Expr.arg(0)), eye, m, going);
        Value next = power(t, p).matmul(m), distance = distance(next, eye);
        // While the smallest eigenvalues grow the distance wavers; near the end a step that gains nothing is the last.
        Expr before = Expr.arg(0), after = Expr.arg(1);
        Expr gains = after.lessThan(before).add(Expr.of(FAR).lessThan(before)).min(Expr.of(1));
        Expr goesOn = Expr.arg(2).mul(gains).mul(Expr.of(CLOSE).lessThan(after));
        Value still = graph.map(goesOn, graph.read(matrix.distance()), distance, going);
        graph.assign(matrix.x(), x.matmul(t));
        graph.assign(matrix.m(), next);
        graph.assign(matrix.distance(), distance);
        graph.assign(matrix.going(), still);
        return still;
    }

    /** The Frobenius norm [groups x 1 x 1], whatever the size of the elements. */
    private static Value norm(Value a) {
        Value largest =
                a.abs().max(1, 2).reshape(a.dim(0), 1, 1).map(Expr.arg(0).max(Expr.of(1e-37)));
        return a.div(largest).square().sum(1, 2).sqrt().reshape(a.dim(0), 1, 1).mul(largest);
    }

    /** The largest |M - I| of each group, [groups x 1 x 1]. */
    private static Value distance(Value m, Value eye) {
        return m.sub(eye).abs().max(1, 2).reshape(m.dim(0), 1, 1);
    }

    private static Value power(Value t, int p) {
        Value result = null, square = t;
        for (int left = p; left > 0; left >>= 1) {
            if ((left & 1) != 0) {
                result = result == null ? square : result.matmul(square);
            }
            if (left > 1) {
                square = square.matmul(square);
            }
        }
        return result;
    }

    /** The largest eigenvalue [groups x 1 x 1], from below: |A| tr B^65 / tr B^64, B = A / |A|. */
    private static Value largest(Value a) {
        long groups = a.dim(0);
        Value norm = norm(a);
        Expr scaled = Expr.arg(1).div(Expr.arg(0).max(Expr.of(1e-37)));
        Value b = a.graph().map(scaled, norm, a), high = b;
        for (int i = 0; i < 6; i++) {
            high = high.matmul(high);
            high = a.graph().map(scaled, norm(high), high);
        }
        Value quotient = high.mul(b).sum(1, 2).reshape(groups, 1, 1);
        Expr some = Expr.of(0).lessThan(Expr.arg(1));
        Expr largest = Expr.select(some, Expr.arg(0).div(Expr.arg(1)).mul(Expr.arg(2)), Expr.of(0));
        return a.graph().map(largest, quotient, Matrices.trace(high), norm);
    }

    @Override
    public void close() {
        if (start != null) {
            start.close();
            step.close();
        }
        for (Matrix matrix : matrices) {
            List.of(matrix.x(), matrix.m(), matrix.distance(), matrix.going()).forEach(Tensor::close);
        }
    }
}
