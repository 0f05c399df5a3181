package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Reductions over every subset of axes, of empty and long values, with special values, and between maps. */
final class ReductionSpecs {
    private ReductionSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(2);
        List<Spec> specs = new ArrayList<>();
        for (Reduce.Kind kind : Reduce.Kind.values()) {
            long[][] shapes = {{}, {7}, {5, 3}, {2, 3, 5}, {3, 2, 4, 5}, {1, 3, 1}};
            for (long[] shape : shapes) {
                for (int subset = 1; subset < 1 << shape.length; subset++) {
                    int bits = subset;
                    int[] axes = IntStream.range(0, shape.length)
                            .filter(axis -> (bits >> axis & 1) == 1)
                            .toArray();
                    Operand x = Operand.random(random, t, shape);
                    String name = kind + " over " + Arrays.toString(axes);
                    boolean keep = subset % 2 == 0;
                    specs.add(
                            Spec.smooth(name, Tolerance.SUM, (_, v) -> v.get(0).reduce(kind, keep, axes), x)
                                    .upTo(shape.length < 4 ? 2 : 1));
                }
            }
            long[][] empty = {{0}, {0, 3}, {3, 0}, {2, 0, 3}};
            for (long[] shape : empty) {
                Operand x = Operand.random(random, t, shape);
                specs.add(Spec.plain(
                        kind + " of nothing",
                        Tolerance.EXACT,
                        (_, v) -> v.get(0).reduce(kind, false, 0),
                        x));
                specs.add(Spec.plain(
                        kind + " of nothing at all",
                        Tolerance.EXACT,
                        (_, v) -> v.get(0).reduce(kind, true),
                        x));
            }
            Operand special = Operand.of(
                    t,
                    Shape.of(5, 3),
                    1,
                    Double.NaN,
                    2,
                    Double.NEGATIVE_INFINITY,
                    3,
                    4,
                    5,
                    6,
                    Double.POSITIVE_INFINITY,
                    -0.0,
                    0,
                    -0.0,
                    Double.POSITIVE_INFINITY,
                    Double.NEGATIVE_INFINITY,
                    1);
            for (int axis = 0; axis < 2; axis++) {
                int along = axis;
                specs.add(Spec.plain(
                        kind + " special values over " + axis,
                        Tolerance.ELEMENT,
                        (_, v) -> v.get(0).reduce(kind, false, along),
                        special));
            }
            specs.add(Spec.smooth(
                            kind + " of long rows",
                            Tolerance.SUM,
                            (_, v) -> v.get(0).reduce(kind, false, 1),
                            Operand.between(random, 0.1, 1, t, 3, 5003))
                    .upTo(1));
            specs.add(Spec.smooth(
                            kind + " of long columns",
                            Tolerance.SUM,
                            (_, v) -> v.get(0).reduce(kind, false, 0),
                            Operand.between(random, 0.1, 1, t, 5003, 3))
                    .upTo(1));
            specs.add(Spec.smooth(
                            kind + " of middles",
                            Tolerance.SUM,
                            (_, v) -> v.get(0).reduce(kind, false, 1, 2),
                            Operand.between(random, 0.1, 1, t, 3, 41, 37, 5))
                    .upTo(1));
        }
        specs.add(Spec.smooth(
                        "ties share",
                        Tolerance.SUM,
                        (_, v) -> v.get(0).max(1),
                        Operand.of(t, Shape.of(2, 4), 1, 3, 3, 0, 2, 2, 2, 2))
                .upTo(0));
        specs.add(Spec.plain(
                "ties share, gradient",
                Tolerance.SUM,
                (_, v) -> io.kingfisher.runtime.graph.Autodiff.gradients(
                                v.get(0).max(1).sum(), v)
                        .get(0),
                Operand.of(t, Shape.of(2, 4), 1, 3, 3, 0, 2, 2, 2, 2)));
        Operand x = Operand.random(random, t, 4, 7), w = Operand.random(random, t, 7);
        specs.add(Spec.smooth("mean", Tolerance.SUM, (_, v) -> v.get(0).mean(-1), x));
        specs.add(Spec.smooth("mean of all", Tolerance.SUM, (_, v) -> v.get(0).mean(), x));
        specs.add(Spec.smooth(
                "variance between maps",
                Tolerance.SUM,
                (_, v) -> v.get(0)
                        .sub(v.get(0).reduce(Reduce.Kind.SUM, true, 1).div(7))
                        .square()
                        .mean(1)
                        .add(1e-3)
                        .log(),
                x));
        specs.add(Spec.smooth(
                "sum of products",
                Tolerance.SUM,
                (_, v) -> v.get(0).mul(v.get(1)).exp().sum(0).mul(v.get(1)).sum(),
                x,
                w));
        specs.add(Spec.smooth(
                "sum to a smaller shape",
                Tolerance.SUM,
                (_, v) -> v.get(0).sumTo(Shape.of(3, 1)),
                Operand.random(random, t, 2, 3, 5)));
        return specs;
    }
}
