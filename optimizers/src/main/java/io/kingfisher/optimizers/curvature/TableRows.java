package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The rows of a table [V x W] that is looked up and may also make logits: a sample's gradient is the sum over its tokens of a
 * one-hot vector times g^T, and of g times the input where logits are made. Products of one-hot vectors are comparisons, so
 * that nothing of the table's height is made.
 */
record TableRows(Parameter table, List<Application> lookups, Optional<OuterRows> logits) implements SampleRows {
    private static Value tokens(Application use) {
        return use.a().reshape(use.samples() * places(use));
    }

    private static long places(Application use) {
        return use.a().shape().elements() / Math.max(1, use.samples());
    }

    /** [D N T x W] in F64. */
    private static Value gradients(Application use) {
        return use.g()
                .reshape(use.draws() * use.samples() * places(use), use.g().dim(-1))
                .cast(DType.F64);
    }

    @Override
    public Value gram() {
        List<Value> parts = new ArrayList<>();
        for (Application one : lookups) {
            for (Application other : lookups) {
                parts.add(lookedUp(one, other));
            }
            for (Application use : logits.map(OuterRows::applications).orElse(List.of())) {
                Value mixed = mixed(one, use);
                parts.add(mixed.add(mixed.t()));
            }
        }
        logits.ifPresent(rows -> parts.add(rows.gram()));
        return SampleRows.sum(parts);
    }

    private static Value lookedUp(Application one, Application other) {
        long d = one.draws(), n = one.samples(), t = places(one), s = places(other);
        Value same = tokens(one)
                .reshape(n * t, 1)
                .equalTo(tokens(other).reshape(1, n * s))
                .cast(DType.F64);
        Value products = gradients(one).matmul(gradients(other), false, true);
        return products.reshape(d, n * t, d, n * s)
                .mul(same.reshape(1, n * t, 1, n * s))
                .reshape(d * n, t, d * n, s)
                .sum(1, 3);
    }

    /** Rows of lookups times rows of logits. */
    private static Value mixed(Application lookup, Application logits) {
        long d = lookup.draws(), n = lookup.samples(), t = places(lookup);
        long s = logits.a().shape().elements() / Math.max(1, n * logits.a().dim(-1));
        Value seen = logits.g()
                .reshape(d * n * s, logits.g().dim(-1))
                .t()
                .gather(tokens(lookup))
                .cast(DType.F64);
        Value inputs = logits.a().reshape(n * s, logits.a().dim(-1)).cast(DType.F64);
        Value products = gradients(lookup).matmul(inputs, false, true);
        return products.reshape(d, n * t, 1, n * s)
                .mul(seen.reshape(1, n * t, d, n * s))
                .reshape(d * n, t, d * n, s)
                .sum(1, 3);
    }

    @Override
    public Value squaredNorms() {
        Value gram = gram();
        return gram.mul(Matrices.identity(gram.graph(), gram.dim(0), DType.F64)).sum(1);
    }

    @Override
    public Value times(Function<Parameter, Value> v) {
        List<Value> parts = new ArrayList<>();
        for (Application use : lookups) {
            Value moved = use.g().mul(v.apply(table).gather(use.a()));
            parts.add(moved.reshape(use.draws(), use.samples(), -1).sum(2));
        }
        logits.ifPresent(rows -> parts.add(rows.times(v)));
        return SampleRows.sum(parts);
    }

    @Override
    public Map<Parameter, Value> transposed(Value y) {
        List<Value> parts = new ArrayList<>();
        for (Application use : lookups) {
            Value g = SampleRows.weighted(use.g(), y);
            parts.add(g.graph()
                    .add(
                            new ScatterAdd(table.shape().dim(0)),
                            tokens(use),
                            g.reshape(use.samples() * places(use), g.dim(-1)))
                    .output(0));
        }
        Map<Parameter, Value> result =
                new LinkedHashMap<>(logits.map(rows -> rows.transposed(y)).orElse(Map.of()));
        if (result.containsKey(table)) {
            parts.add(result.get(table));
        }
        result.put(table, SampleRows.sum(parts));
        return result;
    }
}
