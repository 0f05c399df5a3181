package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;

/**
 * Layer normalisation over the last axis (Ba et al., 2016): x [... x D], scale [D], shift [D] to y of x's shape, and the mean
 * and the reciprocal standard deviation [...] of each row.
 */
public record LayerNorm(double epsilon) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Type x = inputs.get(0);
        if (x.shape().rank() < 1
                || !inputs.get(1).shape().equals(Shape.of(x.shape().dim(-1)))
                || !inputs.get(2).equals(inputs.get(1))
                || !Type.oneFloating(inputs)) {
            throw new KingfisherException(
                    "Layer norm takes x [... x D], scale [D] and shift [D] of one floating type, not " + inputs + ".");
        }
        Type row = new Type(x.dtype(), x.shape().slice(0, x.shape().rank() - 1));
        return List.of(x, row, row);
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0);
        Value mean = x.mean(-1);
        Value centred = x.sub(column(mean));
        Value rstd = centred.square().mean(-1).add(epsilon).pow(-0.5);
        Value y = centred.mul(column(rstd)).mul(inputs.get(1)).add(inputs.get(2));
        return List.of(y, mean, rstd);
    }

    @Override
    public List<Value> fusedVjp(Node node, List<Value> gradients) {
        if (gradients.get(0) == null || gradients.get(1) != null || gradients.get(2) != null) {
            return null;
        }
        return node.graph()
                .add(
                        new LayerNormGrad(),
                        node.input(0),
                        node.input(1),
                        node.output(1),
                        node.output(2),
                        gradients.get(0))
                .outputs();
    }

    /** A value per row with a last axis of 1, so that it broadcasts over the row. */
    static Value column(Value perRow) {
        return perRow.reshape(perRow.shape().concat(Shape.of(1)));
    }
}
