package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * The matrix product of the last two axes of two inputs of at least two axes, either transposed first; leading axes are
 * batches and broadcast.
 */
public record MatMul(boolean transposeA, boolean transposeB) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Shape a = inputs.get(0).shape(), b = inputs.get(1).shape();
        if (a.rank() < 2
                || b.rank() < 2
                || inputs.get(0).dtype() != inputs.get(1).dtype()) {
            throw mismatch(inputs);
        }
        long m = a.dim(transposeA ? -1 : -2), k = a.dim(transposeA ? -2 : -1);
        long k2 = b.dim(transposeB ? -1 : -2), n = b.dim(transposeB ? -2 : -1);
        if (k != k2 || !inputs.get(0).dtype().floating()) {
            throw mismatch(inputs);
        }
        Shape batch = a.slice(0, a.rank() - 2).broadcast(b.slice(0, b.rank() - 2));
        return List.of(new Type(inputs.get(0).dtype(), batch.concat(Shape.of(m, n))));
    }

    private KingfisherException mismatch(List<Type> inputs) {
        return new KingfisherException("Cannot multiply " + inputs.get(0) + (transposeA ? " transposed" : "") + " by "
                + inputs.get(1) + (transposeB ? " transposed" : "")
                + ": both need at least two axes, one floating type and a common inner extent.");
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value a = node.input(0), b = node.input(1), dy = gradients.get(0);
        if (dy == null) {
            return Arrays.asList(null, null);
        }
        Value da = transposeA ? b.matmul(dy, transposeB, true) : dy.matmul(b, false, !transposeB);
        Value db = transposeB ? dy.matmul(a, true, transposeA) : a.matmul(dy, !transposeA, false);
        return List.of(da.sumTo(a.shape()), db.sumTo(b.shape()));
    }
}
