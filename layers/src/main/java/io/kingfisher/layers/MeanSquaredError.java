package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;

/** The mean over all elements of (prediction - target)^2; both have one shape. */
public record MeanSquaredError() implements Loss {
    @Override
    public LossValue apply(Recording r, Value prediction, Value target) {
        return overElements(
                "The mean squared error",
                prediction,
                target,
                prediction.sub(target).square());
    }

    /** A loss whose terms are the elements. */
    static LossValue overElements(String name, Value prediction, Value target, Value terms) {
        if (!prediction.shape().equals(target.shape())) {
            throw new KingfisherException(name + " takes a prediction and a target of one shape, not "
                    + prediction.type() + " and " + target.type() + ".");
        }
        return LossValue.of(terms.sum(), terms.graph().scalar(terms.shape().elements()));
    }
}
