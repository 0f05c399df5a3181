package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Pool.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Maximum and average pooling: windows that overlap, leave gaps, are padded, are not square, or cover everything. */
final class PoolSpecs {
    private PoolSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(6);
        List<Spec> specs = new ArrayList<>();
        List<Window> windows = List.of(
                Window.of(2, 2, 0),
                Window.of(3, 2, 1),
                Window.of(3, 1, 1),
                Window.of(1, 1, 0),
                Window.of(1, 2, 0),
                Window.of(2, 3, 0),
                new Window(3, 2, 1, 2, 1, 0),
                new Window(1, 4, 1, 4, 0, 2),
                new Window(5, 6, 1, 1, 0, 0));
        long[][] shapes = {{2, 3, 5, 6}, {1, 1, 7, 9}, {0, 2, 5, 6}};
        for (Window window : windows) {
            for (long[] shape : shapes) {
                Operand x = Operand.random(random, t, shape);
                specs.add(Spec.several(
                        "max " + window,
                        Tolerance.ELEMENT,
                        (g, v) -> g.add(new Pool.MaxPool2d(window), v).outputs(),
                        x));
                specs.add(Spec.smooth(
                        "average " + window,
                        Tolerance.SUM,
                        (g, v) -> g.add(new Pool.AvgPool2d(window), v).output(0),
                        x));
            }
        }
        Operand ties = Operand.of(
                t,
                Shape.of(1, 1, 4, 4),
                1,
                1,
                0,
                -1,
                1,
                1,
                0,
                -1,
                -2,
                -2,
                Double.NEGATIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                -2,
                -1,
                Double.NEGATIVE_INFINITY,
                Double.NEGATIVE_INFINITY);
        specs.add(Spec.several(
                        "max pool ties",
                        Tolerance.EXACT,
                        (g, v) ->
                                g.add(new Pool.MaxPool2d(Window.of(2, 2, 0)), v).outputs(),
                        ties)
                .upTo(0));
        specs.add(Spec.several(
                "max pool of negative numbers",
                Tolerance.EXACT,
                (g, v) -> g.add(new Pool.MaxPool2d(Window.of(3, 2, 1)), v).outputs(),
                Operand.between(random, -9, -8, t, 2, 2, 5, 5)));
        specs.add(Spec.smooth(
                        "pools in a row",
                        Tolerance.SUM,
                        (g, v) -> {
                            var y = g.add(new Pool.MaxPool2d(Window.of(3, 2, 1)), v.get(0))
                                    .output(0)
                                    .tanh();
                            return g.add(new Pool.AvgPool2d(Window.of(3, 1, 1)), y)
                                    .output(0);
                        },
                        Operand.random(random, t, 2, 17, 8, 9))
                .upTo(1));
        return specs;
    }
}
