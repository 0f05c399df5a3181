package io.kingfisher.train.config;

/**
 * The network and its sizes.
 *
 * @param network the name as written; which names exist is the model zoo's business
 * @param sizes the given keys of {@code model}: {@code width}, {@code depth}, {@code heads}, {@code hidden}, {@code
 *     dropout}, {@code tied}; those not given are the model's own defaults
 */
public record ModelConfig(String network, Options sizes) {}
