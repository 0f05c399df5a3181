package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Batch and layer normalisation: gradients through the result alone and through the statistics as well. */
final class NormSpecs {
    private NormSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(7);
        List<Spec> specs = new ArrayList<>();
        // The terms of these gradients cancel: they are allowed more than a plain sum.
        Tolerance tolerance = Tolerance.SUM.times(4);
        long[][] images = {{5, 3}, {4, 1}, {2, 3, 5}, {2, 3, 4, 5}, {3, 17, 3, 3}, {1, 2, 3, 5}, {2, 2, 3, 1, 2}};
        for (long[] shape : images) {
            Operand x = Operand.random(random, t, shape);
            Operand scale = Operand.between(random, 0.5, 2, t, shape[1]), shift = Operand.random(random, t, shape[1]);
            specs.add(Spec.several(
                    "batch norm with its statistics",
                    tolerance,
                    (g, v) -> g.add(new BatchNorm(1e-3), v).outputs(),
                    x,
                    scale,
                    shift));
            specs.add(Spec.smooth(
                    "batch norm",
                    tolerance,
                    (g, v) -> g.add(new BatchNorm(1e-5), v).output(0),
                    x,
                    scale,
                    shift));
        }
        long[][] rows = {{5}, {4, 7}, {2, 3, 5}, {3, 33}, {1, 2, 2, 3}};
        for (long[] shape : rows) {
            Operand x = Operand.random(random, t, shape);
            long width = shape[shape.length - 1];
            Operand scale = Operand.between(random, 0.5, 2, t, width), shift = Operand.random(random, t, width);
            specs.add(Spec.several(
                    "layer norm with its statistics",
                    tolerance,
                    (g, v) -> g.add(new LayerNorm(1e-3), v).outputs(),
                    x,
                    scale,
                    shift));
            specs.add(Spec.smooth(
                    "layer norm",
                    tolerance,
                    (g, v) -> g.add(new LayerNorm(1e-5), v).output(0),
                    x,
                    scale,
                    shift));
        }
        Operand scale = Operand.between(random, 0.5, 2, t, 5), shift = Operand.random(random, t, 5);
        Operand far = Operand.between(random, 9, 11, t, 4, 5);
        // A mean far from 0 costs digits in the variance.
        specs.add(Spec.smooth(
                        "layer norm far from zero",
                        Tolerance.SUM.times(40),
                        (g, v) -> g.add(new LayerNorm(1e-5), v).output(0),
                        far,
                        scale,
                        shift)
                .upTo(1));
        specs.add(Spec.smooth(
                        "batch norm far from zero",
                        Tolerance.SUM.times(40),
                        (g, v) -> g.add(new BatchNorm(1e-5), v).output(0),
                        far,
                        scale,
                        shift)
                .upTo(1));
        specs.add(Spec.plain(
                "layer norm of no rows",
                tolerance,
                (g, v) -> g.add(new LayerNorm(1e-5), v).output(0),
                Operand.random(random, t, 0, 5),
                scale,
                shift));
        Operand constant = new Operand(t, io.kingfisher.runtime.Shape.of(1, 5), new double[] {3, 3, 3, 3, 3});
        specs.add(Spec.plain(
                "layer norm of a constant row",
                tolerance,
                (g, v) -> g.add(new LayerNorm(1e-5), v).output(0),
                constant,
                scale,
                shift));
        return specs;
    }
}
