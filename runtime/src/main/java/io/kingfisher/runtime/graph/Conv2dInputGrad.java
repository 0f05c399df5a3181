package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/** The gradient of a {@link Conv2d} with respect to its image (of shape {@code image}), from dy and the weight. */
public record Conv2dInputGrad(Convolution window, Shape image) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Convolution.check(inputs);
        Shape dy = inputs.get(0).shape();
        if (!window.output(image, inputs.get(1).shape()).equals(dy)) {
            throw new KingfisherException("A convolution of an image " + image + " with a weight "
                    + inputs.get(1).shape() + " has no output " + dy + ".");
        }
        return List.of(new Type(inputs.get(0).dtype(), image));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        Value dy = node.input(0), w = node.input(1), dz = gradients.get(0);
        if (dz == null) {
            return Arrays.asList(null, null);
        }
        return List.of(Conv2d.record(window, dz, w), Conv2dWeightGrad.record(window, w.shape(), dz, dy));
    }

    static Value record(Convolution window, Shape image, Value dy, Value w) {
        return dy.graph().add(new Conv2dInputGrad(window, image), dy, w).output(0);
    }
}
