package io.kingfisher.train.config;

import java.util.OptionalDouble;

/**
 * The optimizer, with every setting checked and defaults filled in.
 *
 * @param name as its schema spells it: {@code SGD}, {@code Adam}, {@code AdamW}, {@code AdaFisher}, {@code AdaFisherW}
 * @param learningRate the first learning rate; never {@code auto}
 * @param settings {@code optimizer_kwargs}; {@code betas} is split into {@code beta1} and {@code beta2}
 * @param clipNorm the largest global norm of the gradients, where they are clipped by norm
 * @param clipValue the largest absolute gradient, where they are clipped by value
 */
public record OptimizerConfig(
        String name, double learningRate, Options settings, OptionalDouble clipNorm, OptionalDouble clipValue) {}
