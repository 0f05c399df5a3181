package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;

/**
 * Batch normalisation in training (Ioffe and Szegedy, 2015): x [N x C x ...], scale [C], shift [C] to y of x's shape, the
 * batch's mean [C] and its biased variance [C].
 */
public record BatchNorm(double epsilon) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Type x = inputs.get(0);
        if (x.shape().rank() < 2
                || !inputs.get(1).shape().equals(Shape.of(x.shape().dim(1)))
                || !inputs.get(2).equals(inputs.get(1))
                || !Type.oneFloating(inputs)) {
            throw new KingfisherException(
                    "Batch norm takes x [N x C x ...], scale [C] and shift [C] of one floating type, not " + inputs
                            + ".");
        }
        return List.of(x, inputs.get(1), inputs.get(1));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0);
        int[] axes = axes(x);
        Value mean = x.mean(axes);
        Value centred = x.sub(channel(x, mean));
        Value variance = centred.square().mean(axes);
        Value rstd = variance.add(epsilon).pow(-0.5);
        Value y = centred.mul(channel(x, rstd.mul(inputs.get(1)))).add(channel(x, inputs.get(2)));
        return List.of(y, mean, variance);
    }

    @Override
    public List<Value> fusedVjp(Node node, List<Value> gradients) {
        if (gradients.get(0) == null || gradients.get(1) != null || gradients.get(2) != null) {
            return null;
        }
        return node.graph()
                .add(
                        new BatchNormGrad(epsilon),
                        node.input(0),
                        node.input(1),
                        node.output(1),
                        node.output(2),
                        gradients.get(0))
                .outputs();
    }

    /** All axes but the channels'. */
    static int[] axes(Value x) {
        return java.util.stream.IntStream.range(0, x.rank()).filter(i -> i != 1).toArray();
    }

    /** A value per channel, shaped so that it broadcasts over x. */
    static Value channel(Value x, Value perChannel) {
        long[] extents = new long[x.rank()];
        java.util.Arrays.fill(extents, 1);
        extents[1] = x.dim(1);
        return perChannel.reshape(Shape.of(extents));
    }
}
