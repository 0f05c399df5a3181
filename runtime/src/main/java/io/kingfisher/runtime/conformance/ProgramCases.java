package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.conformance.Case.Recipe;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What programs do to tensors: all assignments at once, from the values before the replay, whatever shares memory. */
final class ProgramCases {
    private static final Shape MATRIX = Shape.of(3, 3);

    private ProgramCases() {}

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        add(cases, "swap", (r, a, b) -> {
            r.graph.assign(r.tensors().get(0), b);
            r.graph.assign(r.tensors().get(1), a);
        });
        add(cases, "rotation of three", (r, a, b) -> {
            var third = r.tensor("c", DType.F32, MATRIX, numbers(3));
            var c = r.graph.read(third);
            r.graph.assign(r.tensors().get(0), b);
            r.graph.assign(r.tensors().get(1), c);
            r.graph.assign(third, a);
        });
        add(
                cases,
                "assignment to itself",
                (r, a, _) -> r.graph.assign(r.tensors().get(0), a));
        add(cases, "output of what is assigned over", (r, a, b) -> {
            r.graph.output("before", a);
            r.graph.output("reshaped", a.reshape(9));
            r.graph.output("sliced", a.slice(0, 1, 3));
            r.graph.output("detached", b.detach());
            r.graph.assign(r.tensors().get(0), a.add(1));
            r.graph.assign(r.tensors().get(1), a);
        });
        add(cases, "reading what has been assigned", (r, a, _) -> {
            r.graph.assign(r.tensors().get(0), a.mul(0.5));
            r.graph.assign(r.tensors().get(1), r.graph.read(r.tensors().get(0)).add(1));
            r.graph.assign(r.tensors().get(0), r.graph.read(r.tensors().get(0)).sub(2));
        });
        add(cases, "elements under another shape", (r, a, b) -> {
            r.graph.assignElements(r.tensors().get(0), a.reshape(9).sub(b.reshape(9)));
            r.graph.assignElements(r.tensors().get(1), b.t().reshape(1, 9, 1));
            r.graph.output("after", r.graph.read(r.tensors().get(0)).matmul(a));
        });
        add(
                cases,
                "transposed over itself",
                (r, a, _) -> r.graph.assign(r.tensors().get(0), a.t()));
        add(cases, "product over its operand", (r, a, b) -> {
            r.graph.assign(r.tensors().get(0), a.matmul(b).tanh());
            r.graph.assign(r.tensors().get(1), b.matmul(a).tanh());
        });
        add(
                cases,
                "rows moved over themselves",
                (r, a, _) -> r.graph.assign(
                        r.tensors().get(0), r.graph.concat(0, List.of(a.slice(0, 1, 3), a.slice(0, 0, 1)))));
        add(cases, "broadcast over its operand", (r, a, b) -> {
            r.graph.assign(r.tensors().get(0), a.sum(0).broadcastTo(MATRIX).mul(0.1));
            r.graph.assign(r.tensors().get(1), b.sub(b.max(1).reshape(3, 1)).add(a));
        });
        add(cases, "one value in many places", (r, a, b) -> {
            Value sum = a.add(b).mul(0.5);
            r.graph.output("one", sum);
            r.graph.output("two", sum);
            r.graph.output("three", sum.reshape(9));
            r.graph.assign(r.tensors().get(0), sum);
            r.graph.assign(r.tensors().get(1), sum);
        });
        add(cases, "constants", (r, a, _) -> {
            r.graph.output("ones", r.graph.ones(DType.F32, Shape.of(2, 5)));
            r.graph.output("scalar", r.graph.scalar(0.1));
            r.graph.output("table", r.graph.constant(DType.F32, Shape.of(3), 1, 2, 3));
            r.graph.output("nothing", r.graph.zeros(DType.F32, Shape.of(0, 2)));
            r.graph.output("sum", a.add(r.graph.constant(DType.F32, Shape.of(3), 1, 2, 3)));
            r.graph.assign(r.tensors().get(0), r.graph.fill(3, DType.F32, MATRIX));
        });
        add(cases, "inputs handed on", (r, a, _) -> {
            Value x = r.input("x", DType.F32, MATRIX, numbers(7), numbers(8), numbers(9));
            r.input("unused", DType.F32, Shape.of(2), new double[2]);
            r.graph.output("same", x);
            r.graph.output("flat", x.reshape(9));
            r.graph.output("old", a);
            r.graph.assign(r.tensors().get(0), x);
        });
        add(cases, "dead ends", (r, a, b) -> {
            a.matmul(b).exp();
            r.graph.random(
                    io.kingfisher.runtime.graph.Random.Distribution.NORMAL,
                    r.graph.constant(DType.I32, Shape.of(4), 1, 2, 3, 4),
                    0,
                    MATRIX);
            var pool = r.graph.add(new Pool.MaxPool2d(Pool.Window.of(2, 1, 0)), a.reshape(1, 1, 3, 3));
            r.graph.output("positions", pool.output(1));
        });
        add(cases, "moments of one map", ProgramCases::moments);
        add(cases, "weighted product", (r, a, b) -> {
            Value x = r.input("x", DType.F32, MATRIX, numbers(7), numbers(8));
            Value loss = x.matmul(a).tanh().matmul(b).square().mean();
            List<Value> gradients = Autodiff.gradients(loss, List.of(a, b));
            r.graph.output("loss", loss);
            r.graph.assign(r.tensors().get(0), a.sub(gradients.get(0).mul(0.1)));
            r.graph.assign(r.tensors().get(1), b.sub(gradients.get(1).mul(0.1)));
        });
        cases.add(Case.of("program that does nothing", _ -> {}, Tolerance.EXACT).replayed(2));
        cases.add(Case.of("counters of several types", ProgramCases::counters, Tolerance.ELEMENT)
                .replayed(3));
        cases.add(Case.of("ring buffer", ProgramCases::ring, Tolerance.EXACT).replayed(7));
        return cases;
    }

    /** What a case does with the tensors a and b of 3 x 3 numbers. */
    private interface Steps {
        void record(Pair pair, Value a, Value b);
    }

    /** A recording with two tensors. */
    private record Pair(Recording recording, Graph graph, List<io.kingfisher.runtime.Tensor> tensors) {
        Value input(String name, DType dtype, Shape shape, double[]... values) {
            return recording.input(name, dtype, shape, values);
        }

        io.kingfisher.runtime.Tensor tensor(String name, DType dtype, Shape shape, double... values) {
            return recording.tensor(name, dtype, shape, values);
        }
    }

    private static void add(List<Case> cases, String name, Steps steps) {
        Recipe recipe = r -> {
            var a = r.tensor("a", DType.F32, MATRIX, numbers(1));
            var b = r.tensor("b", DType.F32, MATRIX, numbers(2));
            steps.record(new Pair(r, r.graph, List.of(a, b)), r.graph.read(a), r.graph.read(b));
        };
        cases.add(Case.of("program: " + name, recipe, Tolerance.SUM).replayed(3));
    }

    private static double[] numbers(long seed) {
        return Operand.random(new SplittableRandom(seed), DType.F32, 9).values();
    }

    /** Adam as one map whose results are assigned: the parameter, two moments, and a step that counts. */
    private static void moments(Pair r, Value p, Value m) {
        var second = r.tensor("v", DType.F32, MATRIX, new double[9]);
        var count = r.tensor("count", DType.F32, Shape.SCALAR, 0);
        var rate = r.tensor("rate", DType.F32, Shape.SCALAR, 0.01);
        Value g = r.input("g", DType.F32, MATRIX, numbers(4), numbers(5), numbers(6));
        Value t = r.graph.read(count).add(1);
        Expr eg = Expr.arg(0), em = Expr.arg(1), ev = Expr.arg(2), ep = Expr.arg(3), et = Expr.arg(4), er = Expr.arg(5);
        Expr m1 = em.mul(0.9).add(eg.mul(0.1)),
                v1 = ev.mul(0.999).add(eg.square().mul(0.001));
        Expr hat = m1.div(Expr.of(1).sub(Expr.of(0.9).pow(et)));
        Expr root = v1.div(Expr.of(1).sub(Expr.of(0.999).pow(et))).sqrt().add(1e-8);
        List<Value> results = r.graph.map(
                List.of(m1, v1, ep.sub(er.mul(hat).div(root))),
                List.of(DType.F32, DType.F32, DType.F32),
                List.of(g, m, r.graph.read(second), p, t, r.graph.read(rate)));
        r.graph.assign(r.tensors().get(1), results.get(0));
        r.graph.assign(second, results.get(1));
        r.graph.assign(r.tensors().get(0), results.get(2));
        r.graph.assign(count, t);
    }

    private static void counters(Recording r) {
        for (DType dtype : List.of(DType.F32, DType.F64, DType.I32, DType.U8, DType.BF16, DType.F16)) {
            var tensor = r.tensor(dtype.name(), dtype, Shape.of(2), 3, 120);
            r.graph.assign(tensor, r.graph.read(tensor).add(7).cast(dtype));
        }
    }

    /** The place that the step names is written, all others stay. */
    private static void ring(Recording r) {
        var ring = r.tensor("ring", DType.F32, Shape.of(5), 0, 0, 0, 0, 0);
        var step = r.tensor("step", DType.I32, Shape.SCALAR, 0);
        Value loss = r.input("loss", DType.F32, Shape.SCALAR, new double[] {5}, new double[] {6}, new double[] {7});
        Value now = r.graph.read(step);
        Value place = now.map(Expr.arg(0)
                .sub(Expr.unary(Expr.UnaryOp.FLOOR, Expr.arg(0).div(5)).mul(5)));
        Value here = r.graph.iota(DType.I32, 5).equalTo(place);
        r.graph.assign(ring, here.select(loss, r.graph.read(ring)));
        r.graph.assign(step, now.add(1).cast(DType.I32));
    }
}
