package io.kingfisher.optimizers.curvature;

import java.util.Arrays;

/**
 * How well conditioned a layer's curvature is.
 *
 * @param layer its path
 * @param smallest the smallest eigenvalue, at least 0
 * @param largest the largest one
 * @param mean the mean of all, that is the trace over the size
 * @param damping what is added to each before it is divided by
 */
public record Health(String layer, double smallest, double largest, double mean, double damping) {
    /** From all eigenvalues; those below 0 are roundings of 0. */
    public static Health of(String layer, double[] eigenvalues, double damping) {
        return new Health(
                layer,
                Math.max(0, Arrays.stream(eigenvalues).min().orElse(Double.NaN)),
                Arrays.stream(eigenvalues).max().orElse(Double.NaN),
                Arrays.stream(eigenvalues).average().orElse(Double.NaN),
                damping);
    }

    /** The condition number of the damped curvature: the largest ratio between two directions' curvatures. */
    public double condition() {
        return (largest + damping) / (smallest + damping);
    }

    /** The damping as a share of the mean curvature: far below 1 the curvature decides, far above 1 nothing but the damping. */
    public double relativeDamping() {
        return damping / mean;
    }
}
