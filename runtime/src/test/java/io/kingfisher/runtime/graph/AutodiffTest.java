package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What gradients mean: reuse, independence, intermediate values, broadcasting, and orders above the second. */
class AutodiffTest {
    private static final double[] START = {0.5, -1.25, 2};

    /** Runs a graph of one F64 input x[3] with one output. */
    private static double[] run(Function<Value, Value> recording) {
        Graph g = new Graph();
        g.output("y", recording.apply(g.input("x", DType.F64, 3)));
        try (Device device = Device.open("reference");
                var program = device.compile(g)) {
            program.input("x").write(START);
            program.replay();
            return program.output("y").doubles();
        }
    }

    private static Value gradient(Value loss, Value with) {
        return Autodiff.gradients(loss, List.of(with)).get(0);
    }

    private static double[] each(Function<Double, Double> f) {
        double[] result = new double[START.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = f.apply(START[i]);
        }
        return result;
    }

    @Test
    void valuesThatAreUsedSeveralTimesAddUp() {
        assertArrayEquals(
                each(x -> 2 * x + 1 + 3 * x * x),
                run(x -> gradient(x.mul(x).add(x).add(x.mul(x).mul(x)).sum(), x)),
                1e-12);
    }

    @Test
    void independentValuesHaveZeroGradients() {
        assertArrayEquals(new double[3], run(x -> gradient(x.graph().fill(3, DType.F64, Shape.SCALAR), x)));
        assertArrayEquals(new double[3], run(x -> gradient(x.detach().square().sum(), x)));
        assertArrayEquals(
                new double[3],
                run(x -> gradient(x.cast(DType.I32).cast(DType.F64).sum(), x)));
        assertArrayEquals(
                new double[3],
                run(x ->
                        gradient(x.graph().ones(DType.F64, Shape.of(2)).square().sum(), x)));
    }

    @Test
    void theLossItselfHasGradientOne() {
        assertArrayEquals(new double[] {1}, run(x -> {
            Value loss = x.square().sum();
            return gradient(loss, loss);
        }));
    }

    @Test
    void gradientsOfIntermediateValuesAreTotal() {
        // loss = sum(h^2) + sum(exp(h)) with h = 3x: the gradient of h, and of x through it.
        assertArrayEquals(
                each(x -> 6 * x + Math.exp(3 * x)),
                run(x -> {
                    Value h = x.mul(3);
                    return gradient(h.square().add(h.exp()).sum(), h);
                }),
                1e-9);
        assertArrayEquals(
                each(x -> 3 * (6 * x + Math.exp(3 * x)) + 6 * x),
                run(x -> {
                    Value h = x.mul(3);
                    var both = Autodiff.gradients(h.square().add(h.exp()).sum(), List.of(h, x));
                    return both.get(1).add(both.get(0).sub(h.exp()));
                }),
                1e-9);
    }

    @Test
    void gradientsSumOverWhatWasBroadcast() {
        assertArrayEquals(
                each(x -> 5 * Math.cos(x)),
                run(x -> {
                    Value wide = x.map(Expr.unary(Expr.UnaryOp.SIN, Expr.arg(0)))
                            .add(x.graph().zeros(DType.F64, Shape.of(5, 3)));
                    return gradient(wide.sum(), x);
                }),
                1e-12);
        // The slope of x + y does not read x: it has to be stretched before it is summed.
        assertArrayEquals(
                new double[] {4, 4, 4},
                run(x -> gradient(
                        x.reshape(3, 1)
                                .add(x.graph().zeros(DType.F64, Shape.of(4)))
                                .sum(),
                        x)));
        assertArrayEquals(new double[] {12}, run(x -> {
            Value scalar = x.graph().fill(2, DType.F64, Shape.SCALAR);
            return gradient(
                    x.mul(0)
                            .add(scalar)
                            .reshape(3, 1)
                            .add(x.graph().zeros(DType.F64, Shape.of(4)))
                            .sum(),
                    scalar);
        }));
    }

    @Test
    void thirdAndFourthDerivatives() {
        assertArrayEquals(
                each(x -> 24 * x),
                run(x -> {
                    Value y = x.square().square().sum();
                    for (int i = 0; i < 2; i++) {
                        y = gradient(y, x).sum();
                    }
                    return gradient(y, x);
                }),
                1e-10);
        assertArrayEquals(
                each(Math::exp),
                run(x -> {
                    Value y = x.exp().sum();
                    for (int i = 0; i < 3; i++) {
                        y = gradient(y, x).sum();
                    }
                    return gradient(y, x);
                }),
                1e-10);
    }

    @Test
    void fusedOpsCanBeDifferentiatedThreeTimes() {
        // Softmax of (x, 0) is a sigmoid, whose third derivative is known.
        double[] actual = run(x -> {
            Value pairs = x.graph().concat(1, List.of(x.reshape(3, 1), x.graph().zeros(DType.F64, Shape.of(3, 1))));
            Value y = pairs.softmax().slice(1, 0, 1).sum();
            y = gradient(y, x).sum();
            y = gradient(y, x).sum();
            return gradient(y, x);
        });
        assertArrayEquals(
                each(x -> {
                    double s = 1 / (1 + Math.exp(-x)), d = s * (1 - s);
                    return d * ((1 - 2 * s) * (1 - 2 * s) - 2 * d);
                }),
                actual,
                1e-12);
    }

    @Test
    void severalResultsAndSeeds() {
        assertArrayEquals(
                each(x -> 2 * 2 * x + 3 * Math.exp(x)),
                run(x -> {
                    Graph g = x.graph();
                    Value two = g.fill(2, DType.F64, Shape.of(3)), three = g.fill(3, DType.F64, Shape.of(3));
                    return Autodiff.vjp(List.of(x.square(), x.exp()), List.of(two, three), List.of(x))
                            .get(0);
                }),
                1e-12);
        assertArrayEquals(
                each(x -> 4 * x),
                run(x -> {
                    Value y = x.square(), one = x.graph().ones(DType.F64, Shape.of(3));
                    return Autodiff.vjp(List.of(y, y), List.of(one, one), List.of(x))
                            .get(0);
                }),
                1e-12);
    }

    @Test
    void gradientsKeepTheTypesOfValues() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 3);
        Value wide = x.cast(DType.F64).square().sum();
        assertEquals(x.type(), gradient(wide, x).type());
        Value b = g.input("b", DType.BF16, 2, 3);
        assertEquals(b.type(), gradient(b.cast(DType.F32).mul(x).sum(), b).type());
    }

    @Test
    void tensorsAreDifferentiatedAsTheyWereRead() {
        try (Device device = Device.open("reference")) {
            var w = device.allocate(DType.F64, Shape.of(3));
            w.write(START);
            Graph g = new Graph();
            Value read = g.read(w);
            g.assign(w, read.sub(gradient(read.square().sum(), read).mul(0.25)));
            try (var program = device.compile(g)) {
                program.replay();
                assertArrayEquals(each(x -> x / 2), w.doubles(), 1e-12);
                program.replay();
                assertArrayEquals(each(x -> x / 4), w.doubles(), 1e-12);
            }
        }
    }

    @Test
    void onlyWhatIsNeededIsRecorded() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 8, 1, 9, 9), w = g.input("w", DType.F32, 2, 1, 3, 3);
        Value y = Conv2d.record(Convolution.of(1, 1, 1, 1), x, w);
        gradient(y.square().mean(), w);
        long weightGradients = g.nodes().stream()
                .filter(node -> node.op() instanceof Conv2dWeightGrad)
                .count();
        assertEquals(1, weightGradients);
        assertTrue(g.nodes().stream().noneMatch(node -> node.op() instanceof Fused));
    }

    @Test
    void scopesCarryOverToGradients() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 3);
        Value y;
        try (Graph.Scope _ = g.scope("fc1")) {
            y = x.exp();
        }
        int before = g.nodes().size();
        gradient(y.sum(), x);
        assertTrue(g.nodes().subList(before, g.nodes().size()).stream()
                .anyMatch(n -> n.scope().equals("fc1")));
        assertEquals("", g.add(new Detach(), x).scope());
    }
}
