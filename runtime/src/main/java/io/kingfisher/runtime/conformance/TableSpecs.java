package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.ScatterAdd;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Gather and scatter: indices of several ranks that repeat or lie outside the table. */
final class TableSpecs {
    private TableSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(9);
        List<Spec> specs = new ArrayList<>();
        Operand one = Operand.integers(new long[0], 2);
        Operand repeated = Operand.integers(new long[] {6}, 3, 0, 3, 3, 1, 0);
        Operand grid = Operand.integers(new long[] {2, 3}, 0, 3, 1, 1, 2, 0);
        Operand outside = Operand.integers(new long[] {5}, 4, -1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE);
        Operand nothing = Operand.integers(new long[] {0});
        for (Operand indices : List.of(one, repeated, grid, outside, nothing)) {
            int order = indices.equals(outside) ? 1 : 2;
            for (long[] row : new long[][] {{}, {1}, {5}, {2, 3}}) {
                Operand table = Operand.random(random, t, MatMulSpecs.concat(new long[] {4}, row));
                specs.add(
                        Spec.smooth("gather", Tolerance.SUM, (_, v) -> v.get(0).gather(v.get(1)), table, indices)
                                .upTo(order));
                Operand updates = Operand.random(
                        random, t, MatMulSpecs.concat(indices.shape().toArray(), row));
                specs.add(Spec.smooth(
                        "scatter add",
                        Tolerance.SUM,
                        (g, v) -> g.add(new ScatterAdd(4), v.get(1), v.get(0)).output(0),
                        updates,
                        indices));
            }
        }
        specs.add(Spec.smooth(
                "squares of gathered rows",
                Tolerance.SUM,
                (_, v) -> v.get(0).gather(v.get(1)).square().sum(-1),
                Operand.random(random, t, 4, 5),
                grid));
        specs.add(Spec.plain(
                "gather from an empty table",
                Tolerance.SUM,
                (_, v) -> v.get(0).gather(v.get(1)),
                Operand.random(random, t, 0, 3),
                Operand.integers(new long[] {2}, 0, 1)));
        return specs;
    }
}
