package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Convolutions: strides, paddings, dilations and groups, alike and different along both axes, and batches of 1 and 0. */
final class ConvolutionSpecs {
    private ConvolutionSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(5);
        List<Spec> specs = new ArrayList<>();
        // Image N, C, H, W; weight O, C/groups, KH, KW; strides, paddings, dilations; groups.
        int[][] cases = {
            {2, 3, 5, 7, 4, 3, 3, 3, 1, 1, 0, 0, 1, 1, 1},
            {2, 3, 5, 7, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1},
            {1, 1, 6, 5, 1, 1, 2, 3, 1, 1, 0, 1, 1, 1, 1},
            {2, 3, 7, 8, 5, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1},
            {2, 3, 7, 8, 5, 3, 3, 2, 2, 3, 2, 0, 1, 1, 1},
            {1, 2, 9, 9, 3, 2, 3, 3, 1, 1, 2, 2, 2, 2, 1},
            {1, 2, 9, 8, 3, 2, 2, 3, 2, 1, 0, 3, 3, 2, 1},
            {2, 4, 5, 5, 6, 2, 3, 3, 1, 1, 1, 1, 1, 1, 2},
            {2, 4, 5, 6, 4, 1, 3, 3, 1, 1, 1, 1, 1, 1, 4},
            {2, 4, 6, 5, 8, 1, 3, 3, 2, 2, 1, 1, 1, 1, 4},
            {3, 5, 4, 4, 7, 5, 1, 1, 1, 1, 0, 0, 1, 1, 1},
            {3, 5, 5, 4, 7, 5, 1, 1, 2, 2, 0, 0, 1, 1, 1},
            {2, 3, 4, 4, 2, 3, 4, 4, 1, 1, 0, 0, 1, 1, 1},
            {2, 3, 8, 8, 2, 3, 5, 5, 4, 4, 2, 2, 1, 1, 1},
            {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},
            {0, 3, 5, 5, 2, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1},
            {2, 1, 28, 28, 6, 1, 5, 5, 1, 1, 2, 2, 1, 1, 1},
            {1, 16, 9, 9, 32, 16, 3, 3, 2, 2, 1, 1, 1, 1, 1},
        };
        for (int[] c : cases) {
            Convolution window = new Convolution(c[8], c[9], c[10], c[11], c[12], c[13], c[14]);
            Operand x = Operand.random(random, t, c[0], c[1], c[2], c[3]);
            Operand w = Operand.random(random, t, c[4], c[5], c[6], c[7]);
            String name = "conv stride " + c[8] + "," + c[9] + " padding " + c[10] + "," + c[11] + " dilation " + c[12]
                    + "," + c[13] + " groups " + c[14];
            specs.add(Spec.smooth(
                            name,
                            Tolerance.SUM,
                            (g, v) -> g.add(new Conv2d(window), v.get(0), v.get(1))
                                    .output(0),
                            x,
                            w)
                    .upTo(x.values().length > 600 ? 1 : 2));
        }
        Convolution same = Convolution.of(1, 1, 1, 1);
        specs.add(Spec.smooth(
                "conv, bias and relu",
                Tolerance.SUM,
                (g, v) -> g.add(new Conv2d(same), v.get(0), v.get(1))
                        .output(0)
                        .add(v.get(2).reshape(4, 1, 1))
                        .relu(),
                Operand.random(random, t, 2, 3, 5, 4),
                Operand.random(random, t, 4, 3, 3, 3),
                Operand.random(random, t, 4)));
        specs.add(Spec.smooth(
                "residual block",
                Tolerance.SUM.times(4),
                (g, v) -> {
                    var y = g.add(new Conv2d(same), v.get(0), v.get(1))
                            .output(0)
                            .tanh();
                    return g.add(new Conv2d(same), y, v.get(1)).output(0).add(v.get(0));
                },
                Operand.random(random, t, 2, 3, 5, 4),
                Operand.random(random, t, 3, 3, 3, 3)));
        return specs;
    }
}
