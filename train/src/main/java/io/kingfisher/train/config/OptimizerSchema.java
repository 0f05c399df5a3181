package io.kingfisher.train.config;

import java.util.Map;

/**
 * An optimizer as configurations see it.
 *
 * @param options the keys of its {@code optimizer_kwargs}; the schema's name is the optimizer's
 * @param learningRate what {@code init_lr: auto} stands for
 * @param modeRates what it stands for in modes whose steps have another scale
 */
public record OptimizerSchema(OptionSchema options, double learningRate, Map<String, Double> modeRates) {
    public OptimizerSchema {
        modeRates = Map.copyOf(modeRates);
    }

    /** An optimizer without modes. */
    public OptimizerSchema(OptionSchema options, double learningRate) {
        this(options, learningRate, Map.of());
    }

    public String name() {
        return options.name();
    }

    /** What {@code init_lr: auto} stands for with these settings. */
    double learningRate(Options settings) {
        return settings.has("mode") ? modeRates.getOrDefault(settings.text("mode"), learningRate) : learningRate;
    }
}
