package io.kingfisher.optimizers.curvature;

/**
 * What counts as a sample where a layer is applied at several places of one (pixels, tokens): the gradient of a sample is the
 * sum of g_t a_t^T over them (Eschenhagen et al., Kronecker-factored approximate curvature for modern architectures, 2023).
 */
public enum Sharing {
    /** Every place is a sample of its own. All layers must then have as many places. */
    EXPAND,
    /** A sample is the mean of its inputs and the sum of its gradients: one product instead of the sum of them. */
    REDUCE,
    /** The gradient of a sample is what it is. */
    EXACT_PER_SAMPLE
}
