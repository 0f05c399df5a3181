package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * In what type a model's products (linear layers, convolutions, attention) are made. Everything else is F32 in all of them:
 * the weights that are kept and updated, normalisation, softmax, losses, and what captures hand to curvature.
 */
public enum Precision {
    /** F32 throughout. */
    FP32,
    /** Recorded as {@link #FP32}; the device may round the factors of products to TF32 (8 bits of exponent, 10 of fraction). */
    TF32,
    /** Factors and products rounded to BF16, sums in F32; a device may leave a product unrounded that is read in F32. */
    BF16,
    /** As {@link #BF16} with IEEE half precision; gradients need a {@link LossScale}. */
    FP16;

    /** The type of the factors and results of products; empty for F32. */
    public Optional<DType> products() {
        return switch (this) {
            case FP32, TF32 -> Optional.empty();
            case BF16 -> Optional.of(DType.BF16);
            case FP16 -> Optional.of(DType.F16);
        };
    }

    /** How configurations write it, as {@code bf16}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The precision that a configuration calls so. */
    public static Precision of(String key) {
        return Arrays.stream(values())
                .filter(precision -> precision.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new KingfisherException(
                        "There is no precision '" + key + "'; choose fp32, tf32, bf16 or fp16."));
    }
}
