package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of a table [V x ...] by I32 indices of any shape: the indices' shape followed by a row's. An index outside the table
 * gives a row of NaN, so that a mistake shows and no memory is touched that should not be.
 */
public record Gather() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Shape table = inputs.get(0).shape();
        if (table.rank() < 1
                || inputs.get(1).dtype() != DType.I32
                || !inputs.get(0).dtype().floating()) {
            throw new KingfisherException("Gather takes a floating table of rows and I32 indices, not " + inputs + ".");
        }
        return List.of(new Type(inputs.get(0).dtype(), inputs.get(1).shape().concat(table.slice(1, table.rank()))));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value dy = gradients.get(0);
        Op op = new ScatterAdd(node.input(0).dim(0));
        return Arrays.asList(
                dy == null ? null : node.graph().add(op, node.input(1), dy).output(0), null);
    }
}
