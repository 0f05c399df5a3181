package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Every function of the elementwise language, its special values, broadcasting, conversions and several results. */
final class ElementwiseSpecs {
    private static final Expr X = Expr.arg(0);
    private static final Expr Y = Expr.arg(1);
    private static final Set<UnaryOp> POSITIVE = Set.of(UnaryOp.SQRT, UnaryOp.LOG);
    private static final Set<UnaryOp> STEPS = Set.of(UnaryOp.SIGN, UnaryOp.FLOOR, UnaryOp.IS_FINITE);
    private static final Set<BinaryOp> COMPARISONS = Set.of(BinaryOp.LT, BinaryOp.LE, BinaryOp.EQ);
    private static final double[] SPECIAL = {
        0,
        -0.0,
        1,
        -1,
        0.5,
        -0.5,
        2,
        -2,
        3,
        -3,
        1e-20,
        -1e-20,
        1e-4,
        -1e-4,
        10,
        -10,
        20.5,
        -20.5,
        85,
        -85,
        1e10,
        -1e10,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        1e30,
        -1e30
    };

    private ElementwiseSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(1);
        List<Spec> specs = new ArrayList<>();
        for (UnaryOp op : UnaryOp.values()) {
            unary(op, t, random, specs);
        }
        for (BinaryOp op : BinaryOp.values()) {
            binary(op, t, random, specs);
        }
        select(t, random, specs);
        broadcasts(t, random, specs);
        several(t, random, specs);
        conversions(t, random, specs);
        return specs;
    }

    /** Sines lose the digits that the reduction of the argument takes: near their zeros only an absolute error is small. */
    private static Tolerance tolerance(UnaryOp op) {
        return op == UnaryOp.SIN || op == UnaryOp.COS ? Tolerance.ELEMENT.floor(0.1) : Tolerance.ELEMENT;
    }

    private static void unary(UnaryOp op, DType t, SplittableRandom random, List<Spec> specs) {
        Expr e = Expr.unary(op, X);
        double low = POSITIVE.contains(op) ? 0.1 : -3;
        Operand x = Operand.between(random, low, 3, t, 7, 11);
        // Differences between near-equal numbers appear only in derivatives: relative to the largest there.
        Tolerance tolerance = Tolerance.ELEMENT.floor(0.1);
        specs.add(
                Spec.smooth(op.name(), tolerance, (_, v) -> v.get(0).map(e), x).upTo(STEPS.contains(op) ? 1 : 2));
        boolean periodic = op == UnaryOp.SIN || op == UnaryOp.COS;
        double[] special = java.util.Arrays.stream(SPECIAL)
                .filter(v -> !periodic || !(Math.abs(v) > 100) || Double.isInfinite(v))
                .toArray();
        Operand y = Operand.of(t, Shape.of(special.length), special);
        specs.add(Spec.plain(
                op + " special values", tolerance(op), (_, v) -> v.get(0).map(e), y));
    }

    private static void binary(BinaryOp op, DType t, SplittableRandom random, List<Spec> specs) {
        Expr e = Expr.binary(op, X, Y);
        double low = op == BinaryOp.POW || op == BinaryOp.DIV ? 0.3 : -2;
        Operand a = Operand.between(random, low, 2, t, 5, 13), b = Operand.between(random, low, 2, t, 5, 13);
        int orders = COMPARISONS.contains(op) ? 1 : 2;
        Tolerance tolerance = Tolerance.ELEMENT.floor(0.1);
        specs.add(Spec.smooth(op.name(), tolerance, (g, v) -> g.map(e, v.get(0), v.get(1)), a, b)
                .upTo(orders));
        specs.add(Spec.smooth(op + " of one value twice", tolerance, (g, v) -> g.map(e, v.get(0), v.get(0)), a)
                .upTo(op == BinaryOp.MAX || op == BinaryOp.MIN ? 1 : orders));
        Operand column = Operand.of(t, Shape.of(SPECIAL.length, 1), SPECIAL);
        Operand row = Operand.of(t, Shape.of(SPECIAL.length), SPECIAL);
        Tolerance pairs = op == BinaryOp.POW ? Tolerance.ELEMENT.times(10) : Tolerance.ELEMENT;
        specs.add(Spec.plain(op + " special values", pairs, (g, v) -> g.map(e, v.get(0), v.get(1)), column, row));
        specs.add(Spec.smooth(
                        op + " with a constant",
                        tolerance,
                        (g, v) -> g.map(Expr.binary(op, X, Expr.of(0.75)), v.get(0)),
                        a)
                .upTo(orders));
        specs.add(Spec.smooth(
                        op + " of a constant",
                        tolerance,
                        (g, v) -> g.map(Expr.binary(op, Expr.of(1.25), X), v.get(0)),
                        a)
                .upTo(orders));
    }

    private static void select(DType t, SplittableRandom random, List<Spec> specs) {
        Operand a = Operand.random(random, t, 4, 9), b = Operand.random(random, t, 4, 9);
        specs.add(Spec.smooth(
                "select",
                Tolerance.ELEMENT,
                (_, v) -> v.get(0).lessThan(v.get(1)).select(v.get(0), v.get(1)),
                a,
                b));
        Operand conditions = Operand.of(t, Shape.of(5), 0, 1, -0.5, Double.NaN, -0.0);
        Operand nan = Operand.of(t, Shape.of(5), 1, Double.NaN, 2, 3, Double.NEGATIVE_INFINITY);
        Operand other = Operand.of(t, Shape.of(5), Double.NaN, 7, 8, 9, 10);
        specs.add(Spec.plain(
                "select special values",
                Tolerance.EXACT,
                (_, v) -> v.get(0).select(v.get(1), v.get(2)),
                conditions,
                nan,
                other));
    }

    private static void broadcasts(DType t, SplittableRandom random, List<Spec> specs) {
        long[][][] pairs = {
            {{}, {}},
            {{}, {3}},
            {{3}, {}},
            {{1}, {5}},
            {{4, 1}, {1, 5}},
            {{4, 5}, {5}},
            {{4, 5}, {4, 1}},
            {{2, 3, 4}, {3, 1}},
            {{2, 1, 4}, {1, 3, 1}},
            {{2, 3, 4}, {2, 1, 1}},
            {{2, 3, 5, 7}, {3, 1, 1}},
            {{1, 1, 1}, {2, 3, 4}},
            {{2, 1, 3, 1, 2}, {4, 1, 3, 1}},
            {{0}, {1}},
            {{0, 3}, {3}},
            {{2, 0, 3}, {1, 1}},
            {{1, 1}, {1, 1}},
            {{300, 17}, {17}},
            {{17, 1}, {1, 300}}
        };
        Expr e = X.mul(Y).add(Expr.unary(UnaryOp.SIN, X)).sub(Y);
        for (long[][] pair : pairs) {
            Operand a = Operand.random(random, t, pair[0]), b = Operand.random(random, t, pair[1]);
            specs.add(Spec.smooth("broadcast", Tolerance.SUM, (g, v) -> g.map(e, v.get(0), v.get(1)), a, b));
        }
        Operand a = Operand.random(random, t, 2, 1, 3),
                b = Operand.random(random, t, 4, 1),
                c = Operand.random(random, t);
        Expr three = X.mul(Y).mul(Expr.arg(2)).tanh();
        specs.add(Spec.smooth(
                "broadcast three", Tolerance.SUM, (g, v) -> g.map(three, v.get(0), v.get(1), v.get(2)), a, b, c));
        // Chains of maps are fused by devices; the shapes grow along the chain.
        specs.add(Spec.smooth(
                "chain of broadcasts",
                Tolerance.SUM,
                (_, v) -> v.get(2).exp().mul(v.get(1)).tanh().add(v.get(0)).sigmoid(),
                a,
                b,
                c));
        specs.add(Spec.smooth(
                "one value along and across",
                Tolerance.SUM,
                (_, v) -> v.get(0)
                        .reshape(6, 1)
                        .mul(v.get(0).reshape(1, 6))
                        .sub(v.get(0).reshape(6)),
                a));
    }

    private static void several(DType t, SplittableRandom random, List<Spec> specs) {
        Operand g = Operand.random(random, t, 3, 37),
                m = Operand.random(random, t, 3, 37),
                rate = Operand.random(random, t);
        Expr moment = Y.mul(0.9).add(X.mul(0.1));
        Expr step = moment.div(X.square().add(1).sqrt()).mul(Expr.arg(2));
        specs.add(Spec.several(
                "several results",
                Tolerance.ELEMENT.floor(0.1),
                (graph, v) -> graph.map(List.of(moment, step, step.neg()), List.of(t, t, t), v),
                g,
                m,
                rate));
        specs.add(Spec.several(
                        "results of several types",
                        Tolerance.ELEMENT.floor(0.1),
                        (graph, v) -> graph.map(
                                List.of(X.mul(3), X.mul(300), X.lessThan(Y)),
                                List.of(t, DType.I32, DType.U8),
                                v.subList(0, 2)),
                        g,
                        m)
                .upTo(1));
        // A constant result beside others, and a result that is an argument.
        specs.add(Spec.several(
                "constant and argument results",
                Tolerance.ELEMENT,
                (graph, v) -> graph.map(List.of(Expr.of(2.5), X, X.exp()), List.of(t, t, t), v),
                g));
    }

    private static void conversions(DType t, SplittableRandom random, List<Spec> specs) {
        Operand x = Operand.of(t, Shape.of(9), 0, 1.9, -1.9, 255, 127.5, 1e6, 3.25, -7, 200);
        specs.add(Spec.plain("to I32", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.I32), x));
        Operand bytes = Operand.of(t, Shape.of(6), 0, 1.9, 255, 127.5, 3.25, 200);
        specs.add(Spec.plain("to U8", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.U8), bytes));
        specs.add(Spec.plain(
                "from U8", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.U8).cast(t), bytes));
        specs.add(Spec.plain(
                "from I32",
                Tolerance.EXACT,
                (_, v) -> v.get(0).cast(DType.I32).mul(0.5).cast(t),
                x));
        Operand any = Operand.random(random, t, 33);
        specs.add(Spec.plain("to F32", Tolerance.ELEMENT, (_, v) -> v.get(0).cast(DType.F32), any));
        specs.add(Spec.plain("to F64", Tolerance.ELEMENT, (_, v) -> v.get(0).cast(DType.F64), any));
        Operand dyadic = Operand.of(t, Shape.of(6), 0, -1.5, 1.00390625, 1.01171875, Double.NaN, 3e38);
        specs.add(Spec.plain("to BF16", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.BF16), dyadic));
        specs.add(Spec.plain(
                "from BF16",
                Tolerance.EXACT,
                (_, v) -> v.get(0).cast(DType.BF16).cast(t),
                dyadic));
        // Ties, the largest, what rounds to infinity, subnormals down to half of the smallest.
        Operand half = Operand.of(
                t,
                Shape.of(14),
                0,
                -1.5,
                1 + 0x1p-11,
                1 + 3 * 0x1p-11,
                65504,
                65519.996,
                -65520,
                0x1p-14,
                0x1p-24,
                0x1p-25,
                -0x1.8p-25,
                1023.5 * 0x1p-24,
                Double.NaN,
                Double.NEGATIVE_INFINITY);
        specs.add(Spec.plain("to F16", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.F16), half));
        specs.add(Spec.plain(
                "from F16", Tolerance.EXACT, (_, v) -> v.get(0).cast(DType.F16).cast(t), half));
        for (DType small : List.of(DType.BF16, DType.F16)) {
            // Every device computes in single precision and rounds once: at most one step of the type away.
            Operand a = Operand.random(random, t, 5, 7), b = Operand.random(random, t, 7, 3);
            specs.add(Spec.plain(
                    "product in " + small,
                    new Tolerance(0x1p-7, 0x1p-7, 0, true),
                    (_, v) -> v.get(0).cast(small).matmul(v.get(1).cast(small)),
                    a,
                    b));
            specs.add(Spec.plain(
                    "sum in " + small,
                    new Tolerance(0x1p-7, 0x1p-7, 0, true),
                    (_, v) -> v.get(0).cast(small).sum(0),
                    a));
            specs.add(Spec.plain(
                    "transpose in " + small,
                    Tolerance.EXACT,
                    (_, v) -> v.get(0).cast(small).t(),
                    a));
        }
        specs.add(Spec.plain(
                "detached", Tolerance.ELEMENT, (_, v) -> v.get(0).detach().mul(v.get(0)), any));
        specs.add(Spec.plain(
                "detached, gradient",
                Tolerance.EXACT,
                (_, v) -> Autodiff.gradients(v.get(0).detach().mul(v.get(0)).sum(), v)
                        .get(0),
                any));
        specs.add(Spec.smooth("relu", Tolerance.ELEMENT, (_, v) -> v.get(0).relu(), any));
        specs.add(Spec.plain(
                "relu at zero, gradient",
                Tolerance.EXACT,
                (_, v) -> Autodiff.gradients(v.get(0).relu().sum(), v).get(0),
                Operand.of(t, Shape.of(3), 0, -0.0, 1)));
        specs.add(Spec.plain(
                "iota",
                Tolerance.EXACT,
                (g, v) -> g.iota(DType.I32, 33).cast(t).add(v.get(0)),
                Operand.of(t, Shape.SCALAR, 1)));
    }
}
