package io.kingfisher.train;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.config.OptimizerConfig;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.methods.Methods;
import java.util.List;

/** Makes the optimizer that a configuration names. */
final class Optimizers {
    private Optimizers() {}

    static Optimizer create(Device device, Layer model, RunConfig config) {
        OptimizerConfig given = config.optimizer();
        List<Parameter> trained =
                model.parameters().stream().filter(Parameter::trainable).toList();
        var groups = List.of(new ParameterGroup(
                trained, given.learningRate(), given.settings().real("weight_decay")));
        return Methods.named(given.name()).factory().make(device, groups, given.settings(), clipping(given));
    }

    private static Clipping clipping(OptimizerConfig given) {
        if (given.clipNorm().isPresent()) {
            return new Clipping.GlobalNorm(given.clipNorm().getAsDouble());
        }
        return given.clipValue().isPresent()
                ? new Clipping.ByValue(given.clipValue().getAsDouble())
                : new Clipping.None();
    }
}
