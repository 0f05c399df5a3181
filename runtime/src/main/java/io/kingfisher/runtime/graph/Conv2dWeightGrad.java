package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/** The gradient of a {@link Conv2d} with respect to its weight (of shape {@code weight}), from the image and dy. */
public record Conv2dWeightGrad(Convolution window, Shape weight) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Convolution.check(inputs);
        Shape dy = inputs.get(1).shape();
        if (!window.output(inputs.get(0).shape(), weight).equals(dy)) {
            throw new KingfisherException("A convolution of an image "
                    + inputs.get(0).shape() + " with a weight " + weight + " has no output " + dy + ".");
        }
        return List.of(new Type(inputs.get(0).dtype(), weight));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value x = node.input(0), dy = node.input(1), dw = gradients.get(0);
        if (dw == null) {
            return Arrays.asList(null, null);
        }
        return List.of(Conv2dInputGrad.record(window, x.shape(), dy, dw), Conv2d.record(window, x, dw));
    }

    static Value record(Convolution window, Shape weight, Value x, Value dy) {
        return x.graph().add(new Conv2dWeightGrad(window, weight), x, dy).output(0);
    }
}
