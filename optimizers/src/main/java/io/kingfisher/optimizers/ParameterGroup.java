package io.kingfisher.optimizers;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.KingfisherException;
import java.util.List;

/**
 * Parameters that share a learning rate and a weight decay. Frozen ones may be among them: they stay as they are.
 *
 * @param learningRate the rate at which schedules start, at least 0
 * @param weightDecay at least 0
 */
public record ParameterGroup(List<Parameter> parameters, double learningRate, double weightDecay) {
    public ParameterGroup {
        parameters = List.copyOf(parameters);
        if (!(learningRate >= 0) || Double.isInfinite(learningRate)) {
            throw new KingfisherException(
                    "A learning rate is a finite number of at least 0, not " + learningRate + ".");
        }
        if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
            throw new KingfisherException("A weight decay is a finite number of at least 0, not " + weightDecay + ".");
        }
    }
}
