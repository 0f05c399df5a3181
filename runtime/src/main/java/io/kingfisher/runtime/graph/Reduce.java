package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Collections;
import java.util.List;

/**
 * A sum or extremum over axes, which vanish from the shape. The sum of nothing is 0, the maximum of nothing -infinity.
 *
 * @param axes distinct, ascending, counted from the first
 */
public record Reduce(Kind kind, List<Integer> axes) implements Op {
    /** What is made of the elements. */
    public enum Kind {
        SUM,
        /** NaN where any element is NaN. */
        MAX,
        MIN
    }

    public Reduce {
        axes = List.copyOf(axes);
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Type input = inputs.get(0);
        if (!input.dtype().floating()) {
            throw new KingfisherException("Reductions take floating values, not " + input + "; cast to F32 first.");
        }
        Shape in = input.shape();
        long[] extents = java.util.stream.IntStream.range(0, in.rank())
                .filter(i -> !axes.contains(i))
                .mapToLong(in::dim)
                .toArray();
        axes.forEach(in::axis);
        return List.of(new Type(input.dtype(), Shape.of(extents)));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value x = node.input(0), dy = gradients.get(0);
        if (dy == null) {
            return Collections.singletonList(null);
        }
        Shape kept = x.shape();
        for (int axis : axes) {
            kept = kept.with(axis, 1);
        }
        Value wide = dy.reshape(kept);
        if (kind == Kind.SUM) {
            return List.of(wide.broadcastTo(x.shape()));
        }
        // Ties share the gradient.
        Value hit = x.equalTo(node.output(0).reshape(kept)).detach();
        int[] all = axes.stream().mapToInt(i -> i).toArray();
        return List.of(hit.mul(wide.div(hit.reduce(Kind.SUM, true, all))));
    }
}
