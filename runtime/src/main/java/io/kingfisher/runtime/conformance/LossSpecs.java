package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Softmax and cross-entropy: smoothing, labels that are ignored or wrong, one class, and large logits. */
final class LossSpecs {
    private LossSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(8);
        List<Spec> specs = new ArrayList<>();
        long[][] shapes = {{5}, {1}, {3, 7}, {2, 3, 5}, {4, 1}, {2, 2, 3, 33}, {0, 4}};
        for (long[] shape : shapes) {
            Operand x = Operand.between(random, -3, 3, t, shape);
            specs.add(Spec.smooth("softmax", Tolerance.SUM, (_, v) -> v.get(0).softmax(), x));
        }
        Operand large = Operand.of(t, Shape.of(3, 4), 1000, 999, -1000, 0, -1e4, -1e4, -1e4, -1e4, 0, 88, 89, 90);
        specs.add(Spec.plain(
                "softmax of large numbers", Tolerance.SUM, (_, v) -> v.get(0).softmax(), large));
        Operand masked = Operand.of(
                t,
                Shape.of(2, 3),
                Double.NEGATIVE_INFINITY,
                0,
                1,
                2,
                Double.NEGATIVE_INFINITY,
                Double.NEGATIVE_INFINITY);
        specs.add(Spec.plain(
                "softmax of masked numbers", Tolerance.SUM, (_, v) -> v.get(0).softmax(), masked));
        for (double smoothing : new double[] {0, 0.1}) {
            SoftmaxCrossEntropy op = new SoftmaxCrossEntropy(smoothing, -100);
            Operand x = Operand.between(random, -3, 3, t, 5, 7);
            Operand labels = Operand.integers(new long[] {5}, 0, 6, 3, 3, 1);
            Operand ignored = Operand.integers(new long[] {5}, 0, -100, 3, -100, 1);
            Operand wrong = Operand.integers(new long[] {5}, 7, 2, -1, -100, 1 << 30);
            String name = "cross-entropy smoothing " + smoothing;
            specs.add(Spec.smooth(name, Tolerance.SUM, (g, v) -> g.add(op, v).output(0), x, labels));
            specs.add(Spec.several(
                    name + " and log-sum-exp",
                    Tolerance.SUM,
                    (g, v) -> g.add(op, v).outputs(),
                    x,
                    labels));
            specs.add(Spec.several(
                    name + " ignored", Tolerance.SUM, (g, v) -> g.add(op, v).outputs(), x, ignored));
            specs.add(Spec.smooth(
                    name + " mean",
                    Tolerance.SUM,
                    (g, v) -> g.add(op, v).output(0).mean(),
                    x,
                    ignored));
            specs.add(Spec.smooth(
                            name + " wrong",
                            Tolerance.SUM,
                            (g, v) -> g.add(op, v).output(0),
                            x,
                            wrong)
                    .upTo(1));
            specs.add(Spec.smooth(
                    name + " one row",
                    Tolerance.SUM,
                    (g, v) -> g.add(op, v).output(0),
                    Operand.random(random, t, 1, 3),
                    Operand.integers(new long[] {1}, 2)));
            specs.add(Spec.smooth(
                            name + " no rows",
                            Tolerance.SUM,
                            (g, v) -> g.add(op, v).output(0).sum(),
                            Operand.random(random, t, 0, 3),
                            Operand.integers(new long[] {0}))
                    .upTo(1));
            specs.add(Spec.smooth(
                            name + " many classes",
                            Tolerance.SUM,
                            (g, v) -> g.add(op, v).output(0).mean(),
                            Operand.between(random, -5, 5, t, 3, 1009),
                            Operand.integers(new long[] {3}, 1008, 0, 517))
                    .upTo(1));
            specs.add(Spec.smooth(
                            name + " large logits",
                            Tolerance.SUM,
                            (g, v) -> g.add(op, v).output(0),
                            Operand.of(t, Shape.of(3, 4), 100, 99, -100, 0, -200, -200, -200, -200, 0, 88, 89, 90),
                            Operand.integers(new long[] {3}, 1, 0, 0))
                    .upTo(1));
        }
        specs.add(Spec.plain(
                "cross-entropy of one class",
                Tolerance.ELEMENT.floor(0.1),
                (g, v) -> g.add(new SoftmaxCrossEntropy(0, -1), v).output(0),
                Operand.random(random, t, 3, 1),
                Operand.integers(new long[] {3}, 0, 0, -1)));
        specs.add(Spec.plain(
                "cross-entropy ignoring a valid label",
                Tolerance.SUM,
                (g, v) -> g.add(new SoftmaxCrossEntropy(0, 2), v).output(0),
                Operand.random(random, t, 3, 4),
                Operand.integers(new long[] {3}, 0, 2, 3)));
        return specs;
    }
}
