package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** The mean over all elements of (prediction - target)^2; both have one shape. */
public record MeanSquaredError() implements Loss {
    @Override
    public LossValue apply(Recording r, Value prediction, Value target) {
        return overElements(
                "The mean squared error",
                prediction,
                target,
                prediction.sub(target).square(),
                ElementwiseLikelihood.Kind.SQUARED_ERROR);
    }

    /** A loss whose terms are the elements. */
    static LossValue overElements(
            String name, Value prediction, Value target, Value terms, ElementwiseLikelihood.Kind kind) {
        if (!prediction.shape().equals(target.shape())) {
            throw new KingfisherException(name + " takes a prediction and a target of one shape, not "
                    + prediction.type() + " and " + target.type() + ".");
        }
        Value samples = terms.graph().scalar(prediction.rank() == 0 ? 1 : prediction.dim(0));
        return LossValue.of(
                terms.sum(),
                terms.graph().scalar(terms.shape().elements()),
                List.of(new ElementwiseLikelihood(kind, true, prediction, samples)));
    }
}
