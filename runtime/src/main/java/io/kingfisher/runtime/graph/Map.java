package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Elementwise: each output element is an {@link Expr} of the inputs' elements at the same place, inputs broadcast to the
 * common shape of all. Computes in F64 where any input or output is F64, else in F32; other types are converted at loading
 * and storing (to integers by truncation).
 *
 * @param results what each output computes
 * @param dtypes each output's type
 * @param shape the outputs' shape where there are no inputs; otherwise null
 */
public record Map(List<Expr> results, List<DType> dtypes, Shape shape) implements Op {
    public Map {
        results = List.copyOf(results);
        dtypes = List.copyOf(dtypes);
        if (results.isEmpty() || results.size() != dtypes.size()) {
            throw noTypes(results.size(), dtypes.size());
        }
    }

    static KingfisherException noTypes(int results, int types) {
        return new KingfisherException("A map needs one type for each of its results, and at least one; got " + results
                + " results and " + types + " types.");
    }

    /** The type in which the expressions are computed. */
    public DType computeType(List<Type> inputs) {
        boolean wide = dtypes.contains(DType.F64) || inputs.stream().anyMatch(type -> type.dtype() == DType.F64);
        return wide ? DType.F64 : DType.F32;
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        int read = Exprs.arguments(results).length();
        if (read > inputs.size()) {
            throw Expr.noArgument(read - 1, inputs.size());
        }
        Shape common = inputs.isEmpty() ? shape : inputs.get(0).shape();
        for (Type input : inputs) {
            common = common.broadcast(input.shape());
        }
        Shape result = common;
        return dtypes.stream().map(dtype -> new Type(dtype, result)).toList();
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        int n = node.inputs().size();
        List<Value> arguments = new ArrayList<>(node.inputs());
        List<Expr> roots = new ArrayList<>(), seeds = new ArrayList<>();
        for (int k = 0; k < results.size(); k++) {
            if (gradients.get(k) != null) {
                roots.add(results.get(k));
                seeds.add(Expr.arg(arguments.size()));
                arguments.add(gradients.get(k));
            }
        }
        Expr[] slopes = Exprs.gradients(roots, seeds, n);
        List<Value> result = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            Value input = node.input(i);
            if (slopes[i] == null || !input.dtype().floating()) {
                result.add(null);
                continue;
            }
            Value gradient = node.graph().map(slopes[i], input.dtype(), arguments);
            // A slope that reads no broadcast argument may be smaller than the output: stretch before summing.
            gradient = gradient.broadcastTo(node.output(0).shape());
            result.add(gradient.sumTo(input.shape()));
        }
        return result;
    }

    @Override
    public String toString() {
        // Parts that are shared would be written again wherever they are read: without end in a deep expression.
        int parts = Exprs.ordered(results).size();
        return "Map" + (parts > 12 ? "[" + parts + " parts]" : results);
    }
}
