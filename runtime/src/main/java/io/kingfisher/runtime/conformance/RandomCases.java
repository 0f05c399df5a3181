package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Random.Distribution;
import java.util.ArrayList;
import java.util.List;

/** Random streams are the same on every device; the normal ones but for the rounding of their functions. */
final class RandomCases {
    private RandomCases() {}

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        int[][] states = {{0, 0, 0, 0}, {-1, -1, -1, -1}, {42, 0, 7, 0}, {0x12345678, 0x9abcdef0, 3, 1}};
        long[][] shapes = {{}, {1}, {7}, {3, 5}, {0}, {4099}};
        for (Distribution distribution : Distribution.values()) {
            for (long[] shape : shapes) {
                for (int stream : new int[] {0, 1, 1 << 30, -1}) {
                    Spec spec = Spec.plain(
                            distribution + " stream " + stream + " shape " + Shape.of(shape),
                            distribution == Distribution.NORMAL ? Tolerance.SUM : Tolerance.EXACT,
                            (g, v) -> g.random(distribution, v.get(0), stream, Shape.of(shape)),
                            Operand.integers(new long[] {4}, states[(stream & 3) + (shape.length & 1) & 3]));
                    cases.addAll(spec.cases());
                }
            }
        }
        cases.add(Case.of("random numbers of a state that counts", RandomCases::counting, Tolerance.SUM)
                .replayed(4));
        cases.add(Case.of("dropout", RandomCases::dropout, Tolerance.SUM).replayed(3));
        return cases;
    }

    private static void counting(Recording r) {
        var state = r.tensor("state", DType.I32, Shape.of(4), 5, -6, 70, 0);
        var old = r.graph.read(state);
        r.graph.output("normal", r.graph.random(Distribution.NORMAL, old, 0, Shape.of(2, 9)));
        r.graph.output("uniform", r.graph.random(Distribution.UNIFORM, old, 1, Shape.of(2, 9)));
        var one = r.graph.constant(DType.I32, Shape.of(4), 0, 0, 1, 0);
        r.graph.assign(state, old.add(one).cast(DType.I32));
    }

    private static void dropout(Recording r) {
        var x = r.input("x", Operand.random(new java.util.SplittableRandom(11), DType.F32, 5, 13));
        var state = r.tensor("state", DType.I32, Shape.of(4), 1, 2, 3, 4);
        var old = r.graph.read(state);
        var uniform = r.graph.random(Distribution.UNIFORM, old, 3, x.shape());
        var keep = uniform.lessThan(r.graph.scalar(0.75));
        var y = x.mul(keep).div(0.75);
        r.graph.output("y", y);
        r.graph.output(
                "dx",
                io.kingfisher.runtime.graph.Autodiff.gradients(y.square().sum(), List.of(x))
                        .get(0));
        r.graph.assign(
                state,
                old.add(r.graph.constant(DType.I32, Shape.of(4), 0, 0, 1, 0)).cast(DType.I32));
    }
}
