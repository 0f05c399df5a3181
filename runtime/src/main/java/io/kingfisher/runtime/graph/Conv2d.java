package io.kingfisher.runtime.graph;

import java.util.Arrays;
import java.util.List;

/** The convolution (cross-correlation) of an image x [N x C x H x W] with a weight w [O x C/groups x KH x KW]. */
public record Conv2d(Convolution window) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Convolution.check(inputs);
        return List.of(new Type(
                inputs.get(0).dtype(),
                window.output(inputs.get(0).shape(), inputs.get(1).shape())));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value x = node.input(0), w = node.input(1), dy = gradients.get(0);
        if (dy == null) {
            return Arrays.asList(null, null);
        }
        return List.of(
                Conv2dInputGrad.record(window, x.shape(), dy, w), Conv2dWeightGrad.record(window, w.shape(), x, dy));
    }

    static Value record(Convolution window, Value x, Value w) {
        return x.graph().add(new Conv2d(window), x, w).output(0);
    }
}
