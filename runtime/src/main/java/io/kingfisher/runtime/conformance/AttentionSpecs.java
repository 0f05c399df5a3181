package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Attention;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Attention: odd lengths, other numbers of keys than of queries, causal or not, widths from 1 to 65, large scores, halves. */
final class AttentionSpecs {
    private AttentionSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(11);
        List<Spec> specs = new ArrayList<>();
        // The gradient of a query that sees one key only is zero, as what cancels.
        Tolerance tolerance = Tolerance.SUM.times(4).floor(0.01);
        // Batch, heads, queries, keys, width.
        int[][] cases = {
            {1, 1, 1, 1, 1},
            {2, 3, 5, 5, 4},
            {1, 2, 7, 3, 5},
            {2, 1, 3, 9, 8},
            {1, 1, 1, 6, 3},
            {1, 1, 4, 1, 2},
            {1, 2, 33, 33, 16},
            {1, 1, 17, 40, 65},
            {1, 2, 70, 70, 64},
            {0, 2, 3, 3, 4},
        };
        for (int[] c : cases) {
            boolean large = c[2] * c[3] > 100;
            Operand q = Operand.random(random, t, c[0], c[1], c[2], c[4]);
            Operand k = Operand.random(random, t, c[0], c[1], c[3], c[4]);
            Operand v = Operand.random(random, t, c[0], c[1], c[3], c[4]);
            for (boolean causal : new boolean[] {false, true}) {
                Attention op = new Attention(1.3 / Math.sqrt(c[4]), causal);
                String name = causal ? "causal attention" : "attention";
                specs.add(Spec.smooth(name, tolerance, (g, x) -> g.add(op, x).output(0), q, k, v)
                        .upTo(large ? 1 : 2));
                if (!large) {
                    specs.add(Spec.several(
                            name + " with its log-sum-exp",
                            tolerance,
                            (g, x) -> g.add(op, x).outputs(),
                            q,
                            k,
                            v));
                }
            }
        }
        Operand q = Operand.random(random, t, 1, 2, 9, 8), k = Operand.random(random, t, 1, 2, 9, 8);
        Operand v = Operand.random(random, t, 1, 2, 9, 8);
        // The exponentials of these scores have no place in single precision; errors grow with the scores.
        specs.add(Spec.several(
                        "attention with large scores",
                        Tolerance.SUM.times(200),
                        (g, x) -> g.add(new Attention(200, true), x).outputs(),
                        q,
                        k,
                        v)
                .upTo(1));
        specs.add(Spec.smooth(
                        "attention of one value to itself",
                        tolerance,
                        (g, x) -> g.add(new Attention(0.4, true), x.get(0), x.get(0), x.get(0))
                                .output(0),
                        q)
                .upTo(2));
        for (DType half : List.of(DType.BF16, DType.F16)) {
            // Kernels round the weights to the type as well: a few of its steps, and more where gradients cancel.
            double step = half == DType.BF16 ? 0x1p-8 : 0x1p-11;
            specs.add(Spec.several(
                            "attention in " + half,
                            new Tolerance(6 * step, 6 * step, 0, true),
                            (g, x) -> {
                                var halves = x.stream()
                                        .map(value -> value.cast(half))
                                        .toList();
                                var y = g.add(new Attention(0.3, true), halves);
                                return List.of(y.output(0).cast(t), y.output(1).cast(t));
                            },
                            q,
                            k,
                            v)
                    .upTo(0));
        }
        return specs;
    }
}
