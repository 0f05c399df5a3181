package io.kingfisher.train.config;

/**
 * An optimizer as configurations see it.
 *
 * @param options the keys of its {@code optimizer_kwargs}; the schema's name is the optimizer's
 * @param learningRate what {@code init_lr: auto} stands for
 */
public record OptimizerSchema(OptionSchema options, double learningRate) {
    public String name() {
        return options.name();
    }
}
