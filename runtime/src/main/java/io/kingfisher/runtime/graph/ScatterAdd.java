package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * A table of {@code rows} rows, each the sum of the updates whose I32 index names it, added in the order of the indices. The
 * updates have the indices' shape followed by a row's; those with an index outside the table are left out.
 */
public record ScatterAdd(long rows) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Shape indices = inputs.get(0).shape(), updates = inputs.get(1).shape();
        boolean fits = inputs.get(0).dtype() == DType.I32
                && updates.rank() >= indices.rank()
                && updates.slice(0, indices.rank()).equals(indices);
        if (!fits) {
            throw new KingfisherException(
                    "ScatterAdd takes I32 indices and updates of their shape followed by a row's, not " + inputs + ".");
        }
        return List.of(
                new Type(inputs.get(1).dtype(), Shape.of(rows).concat(updates.slice(indices.rank(), updates.rank()))));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value dz = gradients.get(0);
        return Arrays.asList(null, dz == null ? null : dz.gather(node.input(0)));
    }
}
