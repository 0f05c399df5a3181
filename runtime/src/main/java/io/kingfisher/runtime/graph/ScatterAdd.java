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
                && inputs.get(1).dtype().floating()
                && updates.rank() >= indices.rank()
                && updates.slice(0, indices.rank()).equals(indices);
        if (!fits) {
            throw new KingfisherException(
                    "ScatterAdd takes I32 indices and floating updates of their shape followed by a row's, not "
                            + inputs + ".");
        }
        return List.of(
                new Type(inputs.get(1).dtype(), Shape.of(rows).concat(updates.slice(indices.rank(), updates.rank()))));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value dz = gradients.get(0);
        if (dz == null) {
            return Arrays.asList(null, null);
        }
        Value indices = node.input(0), updates = node.input(1);
        long[] extents = Arrays.copyOf(indices.shape().toArray(), updates.rank());
        Arrays.fill(extents, indices.rank(), extents.length, 1);
        // What was left out has no effect, where gathering would give NaN.
        Expr index = Expr.arg(1);
        Expr valid = Expr.of(0).lessOrEqual(index).mul(index.lessThan(Expr.of(rows)));
        Value gathered = dz.gather(indices);
        Value du = node.graph()
                .map(
                        Expr.select(valid, Expr.arg(0), Expr.of(0)),
                        updates.dtype(),
                        List.of(gathered, indices.reshape(Shape.of(extents))));
        return Arrays.asList(null, du);
    }
}
