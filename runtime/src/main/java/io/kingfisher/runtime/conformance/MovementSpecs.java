package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Movement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Transposes of all orders, slices, paddings, concatenations, broadcasts and reshapes. */
final class MovementSpecs {
    private MovementSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(3);
        List<Spec> specs = new ArrayList<>();
        long[][] shapes = {{3, 5}, {2, 3, 5}, {2, 3, 4, 5}, {1, 3, 1}, {0, 3, 2}, {37, 41}};
        for (long[] shape : shapes) {
            for (int[] order : permutations(shape.length)) {
                Operand x = Operand.random(random, t, shape);
                String name = "transpose " + Arrays.toString(order);
                specs.add(Spec.smooth(name, Tolerance.EXACT, (_, v) -> v.get(0).transpose(order), x)
                        .upTo(1));
            }
        }
        specs.add(Spec.smooth(
                "transpose of five axes",
                Tolerance.EXACT,
                (_, v) -> v.get(0).transpose(3, 0, 4, 2, 1),
                Operand.random(random, t, 2, 3, 2, 4, 3)));
        Operand x = Operand.random(random, t, 4, 5, 6);
        for (int axis = 0; axis < 3; axis++) {
            int along = axis;
            specs.add(Spec.smooth(
                    "slice of axis " + axis, Tolerance.EXACT, (_, v) -> v.get(0).slice(along, 1, 3), x));
            specs.add(Spec.smooth(
                    "empty slice of axis " + axis,
                    Tolerance.EXACT,
                    (_, v) -> v.get(0).slice(along, 2, 2),
                    x));
            specs.add(Spec.smooth(
                    "concat along " + axis,
                    Tolerance.EXACT,
                    (g, v) -> g.concat(along, List.of(v.get(0), v.get(1), v.get(0))),
                    x,
                    Operand.random(random, t, axis == 0 ? 2 : 4, axis == 1 ? 1 : 5, axis == 2 ? 0 : 6)));
        }
        specs.add(Spec.smooth(
                "slice of all axes",
                Tolerance.EXACT,
                (g, v) -> g.add(new Movement.Slice(List.of(1L, 0L, 3L), List.of(2L, 5L, 2L)), v.get(0))
                        .output(0),
                x));
        specs.add(Spec.smooth(
                "pad",
                Tolerance.EXACT,
                (g, v) -> g.add(new Movement.Pad(List.of(1L, 0L, 2L), List.of(0L, 3L, 1L)), v.get(0))
                        .output(0),
                x));
        specs.add(Spec.smooth(
                "pad of nothing",
                Tolerance.EXACT,
                (g, v) -> g.add(new Movement.Pad(List.of(1L, 0L), List.of(1L, 2L)), v.get(0))
                        .output(0),
                Operand.random(random, t, 0, 3)));
        long[][][] broadcasts = {
            {{}, {3}},
            {{}, {2, 3}},
            {{1}, {5}},
            {{3, 1}, {3, 4}},
            {{4}, {3, 4}},
            {{2, 1, 3}, {2, 5, 3}},
            {{1, 3}, {2, 4, 3}},
            {{1, 1, 1}, {2, 3, 4}},
            {{1}, {0}},
            {{0, 1}, {0, 3}}
        };
        for (long[][] pair : broadcasts) {
            Shape to = Shape.of(pair[1]);
            Operand from = Operand.random(random, t, pair[0]);
            specs.add(Spec.smooth(
                    "broadcast to " + to, Tolerance.SUM, (_, v) -> v.get(0).broadcastTo(to), from));
        }
        specs.add(Spec.smooth("reshape", Tolerance.EXACT, (_, v) -> v.get(0).reshape(-1, 10, 3), x));
        specs.add(Spec.smooth(
                "reshape of a scalar", Tolerance.EXACT, (_, v) -> v.get(0).reshape(1, 1), Operand.random(random, t)));
        specs.add(Spec.smooth(
                "reshape of a transpose",
                Tolerance.EXACT,
                (_, v) -> v.get(0).transpose(2, 0, 1).reshape(24, 5).t(),
                x));
        specs.add(Spec.smooth(
                "map of movements",
                Tolerance.SUM,
                (g, v) -> g.concat(0, List.of(v.get(0).slice(0, 1, 3), v.get(0).slice(0, 0, 2)))
                        .transpose(0, 2, 1)
                        .mul(v.get(0).transpose(0, 2, 1))
                        .exp()
                        .reshape(6, 20)
                        .slice(1, 3, 17),
                x));
        integers(specs, t);
        return specs;
    }

    /** Integers move too. */
    private static void integers(List<Spec> specs, DType t) {
        if (t == DType.F64) {
            return;
        }
        Operand i = Operand.integers(new long[] {2, 3}, 1, -2, 3, 1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE);
        specs.add(Spec.plain(
                "transpose of integers", Tolerance.EXACT, (_, v) -> v.get(0).t(), i));
        specs.add(Spec.plain(
                "broadcast of integers", Tolerance.EXACT, (_, v) -> v.get(0).broadcastTo(Shape.of(2, 2, 3)), i));
        specs.add(Spec.plain(
                "concat of integers", Tolerance.EXACT, (g, v) -> g.concat(1, List.of(v.get(0), v.get(0))), i));
        specs.add(Spec.plain(
                "slice of integers", Tolerance.EXACT, (_, v) -> v.get(0).slice(1, 1, 3), i));
        Operand u = new Operand(DType.U8, Shape.of(3, 2), new double[] {0, 1, 127, 128, 254, 255});
        specs.add(Spec.plain(
                "transpose of bytes", Tolerance.EXACT, (_, v) -> v.get(0).t(), u));
        specs.add(
                Spec.plain("slice of bytes", Tolerance.EXACT, (_, v) -> v.get(0).slice(0, 1, 3), u));
        specs.add(Spec.plain(
                "image of bytes",
                Tolerance.SUM,
                (_, v) -> v.get(0).mul(1 / 255.0).sub(0.5).transpose(1, 0),
                u));
    }

    private static List<int[]> permutations(int n) {
        List<int[]> all = new ArrayList<>();
        permute(new int[n], 0, 0, all);
        return all;
    }

    private static void permute(int[] order, int at, int used, List<int[]> all) {
        if (at == order.length) {
            all.add(order.clone());
            return;
        }
        for (int axis = 0; axis < order.length; axis++) {
            if ((used >> axis & 1) == 0) {
                order[at] = axis;
                permute(order, at + 1, used | 1 << axis, all);
            }
        }
    }
}
