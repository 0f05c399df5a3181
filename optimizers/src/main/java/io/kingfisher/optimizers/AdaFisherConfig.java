package io.kingfisher.optimizers;

import io.kingfisher.runtime.KingfisherException;
import java.util.Locale;

/**
 * What {@link AdaFisher} needs to know.
 *
 * @param mode how the diagonals become F
 * @param beta the decay of the momentum, from 0 to below 1
 * @param lambda the damping of modes {@code released} and {@code paper}, above 0
 * @param gamma the share that the running average keeps: 0.1 gamma in mode {@code released}, gamma in mode {@code paper},
 *     {@code relative} not using it
 * @param refreshInterval the steps from one refresh of the curvature to the next, at least 1; the first step refreshes
 * @param decoupled whether weight decay goes past the gradient (AdaFisherW)
 * @param unmatched what F is where a layer has no rule
 * @param tau mode {@code relative}: the damping as a fraction of the layer's mean curvature, above 0
 * @param power mode {@code relative}: the power of the curvature that divides the step, above 0 and at most 1
 * @param cap mode {@code relative}: the most that an element's step may exceed its layer's mean by, at least 1
 * @param decay mode {@code relative}: the share that the running average keeps, from 0 to below 1
 */
public record AdaFisherConfig(
        Mode mode,
        double beta,
        double lambda,
        double gamma,
        long refreshInterval,
        boolean decoupled,
        Unmatched unmatched,
        double tau,
        double power,
        double cap,
        double decay) {
    /** How curvature is estimated and damped. */
    public enum Mode {
        /**
         * What the published code computes: each fresh diagonal scaled to [0, 1] by its extremes, then averaged with weights
         * 0.1 gamma (old) and 0.01 gamma (new) from ones; gradients of the mean loss; norm layers by the code's own
         * reductions.
         */
        RELEASED,
        /**
         * What the paper says: a moving average with weights gamma (old) and 1 - gamma (new), scaled to [0, 1] after it; norm
         * layers by the exact diagonal of the per-sample Fisher.
         */
        PAPER,
        /**
         * Moving averages that are not scaled to [0, 1]; F = ((S H + tau mean(S H)) / norm)^power, with norm chosen so that
         * the mean of 1 / F over each layer is one: learning rates mean what they mean without preconditioning.
         */
        RELATIVE;

        /** As configurations write it. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** F where a layer has no rule; in mode {@code relative} it is 1 either way. */
    public enum Unmatched {
        /** lambda: the same step as elsewhere once the averages are steady. */
        LAMBDA,
        ONE
    }

    public AdaFisherConfig {
        check(beta >= 0 && beta < 1, "beta from 0 to below 1", beta);
        check(lambda > 0, "Lambda above 0", lambda);
        check(gamma > 0 && gamma <= 1, "gamma above 0 and at most 1", gamma);
        check(refreshInterval >= 1, "TCov of at least 1", refreshInterval);
        check(tau > 0, "tau above 0", tau);
        check(power > 0 && power <= 1, "power above 0 and at most 1", power);
        check(cap >= 1, "cap of at least 1", cap);
        check(decay >= 0 && decay < 1, "decay from 0 to below 1", decay);
    }

    private static void check(boolean good, String what, double value) {
        if (!good) {
            throw new KingfisherException("AdaFisher needs " + what + ", not " + value + ".");
        }
    }

    /**
     * The defaults of a mode, without weight decay decoupled: as published for {@code released} and {@code paper}. Mode
     * {@code relative} follows the curvature more closely, with a refresh every 10 steps.
     */
    public static AdaFisherConfig of(Mode mode) {
        long refreshInterval = mode == Mode.RELATIVE ? 10 : 100;
        return new AdaFisherConfig(mode, 0.9, 1e-3, 0.8, refreshInterval, false, Unmatched.LAMBDA, 0.1, 0.5, 10, 0.95);
    }

    /** The same for AdaFisherW. */
    public AdaFisherConfig withDecoupledDecay() {
        return new AdaFisherConfig(mode, beta, lambda, gamma, refreshInterval, true, unmatched, tau, power, cap, decay);
    }

    /** The same with another interval between refreshes. */
    public AdaFisherConfig withRefreshInterval(long steps) {
        return new AdaFisherConfig(mode, beta, lambda, gamma, steps, decoupled, unmatched, tau, power, cap, decay);
    }

    double unmatchedF() {
        return mode == Mode.RELATIVE || unmatched == Unmatched.ONE ? 1 : lambda;
    }
}
