package io.kingfisher.optimizers.diagonal;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sophia (Liu et al., ICLR 2024, algorithm 3): m = b1 m + (1 - b1) g; every so many steps h = b2 h + (1 - b2) of an estimate of
 * the curvature's diagonal; p = p (1 - lr wd) - lr clip(m / max(rho h, eps), 1) element by element, so that no element moves by
 * more than lr, where the curvature is negative or unknown too.
 */
public final class Sophia extends DiagonalCurvature {
    /** How the diagonal is estimated. */
    public enum Estimator {
        /** Sophia-H (algorithm 1): v (H v) with v standard normal, of the Hessian; it may be negative. */
        HUTCHINSON,
        /**
         * Sophia-G (algorithm 2, Gauss-Newton-Bartlett): B g^2, with g the gradient of the mean loss of B samples whose labels
         * are drawn from the model. Its mean is the diagonal of the Gauss-Newton matrix.
         */
        GAUSS_NEWTON_BARTLETT
    }

    /**
     * @param beta1 the decay of the mean of gradients, from 0 to below 1
     * @param beta2 the decay of the mean of estimates, from 0 to below 1
     * @param rho the scale of the curvature in the denominator, above 0: the larger, the fewer elements are clipped
     * @param epsilon the least denominator, above 0
     * @param interval the steps from one estimate to the next, at least 1
     */
    public record Config(Estimator estimator, double beta1, double beta2, double rho, double epsilon, long interval) {
        public Config {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1) || !(rho > 0) || !(epsilon > 0)) {
                throw new KingfisherException(
                        "Sophia needs betas from 0 to below 1, and a rho and an epsilon above 0, not " + beta1 + ", "
                                + beta2 + ", " + rho + " and " + epsilon + ".");
            }
        }

        /** The published settings for language models, with rho 0.05 for Sophia-G and 0.01 for Sophia-H. */
        public static Config of(Estimator estimator) {
            double rho = estimator == Estimator.HUTCHINSON ? 0.01 : 0.05;
            return new Config(estimator, 0.965, 0.99, rho, 1e-12, 10);
        }
    }

    private final Config config;

    public Sophia(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.interval(), Averaging.exponential(config.beta2(), 0));
        this.config = config;
    }

    @Override
    Map<Parameter, Value> estimates(Gradients gradients) {
        return switch (config.estimator()) {
            case HUTCHINSON -> hutchinson(gradients);
            case GAUSS_NEWTON_BARTLETT -> gaussNewtonBartlett(gradients);
        };
    }

    private static Map<Parameter, Value> hutchinson(Gradients gradients) {
        Map<Parameter, Value> products = new LinkedHashMap<>();
        HessianProbe.draw(gradients, Random.Distribution.NORMAL)
                .forEach((parameter, probe) ->
                        products.put(parameter, probe.vector().mul(probe.product())));
        return products;
    }

    private static Map<Parameter, Value> gaussNewtonBartlett(Gradients gradients) {
        // The seeds are gradients of single samples, so the sum over them is B times that of the mean loss.
        List<Value> seeds = gradients.likelihoods().stream()
                .map((Likelihood l) -> l.sample(gradients.recording()))
                .toList();
        Map<Parameter, Value> squares = new LinkedHashMap<>();
        Expr square = Expr.arg(0).square().div(Expr.arg(1).max(Expr.of(1)));
        gradients
                .pullToParameters(seeds)
                .forEach((parameter, total) ->
                        squares.put(parameter, total.graph().map(square, total, gradients.samples())));
        return squares;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Update.Slot mean = u.state("exp_avg");
        Expr m = mean.value().mul(config.beta1()).add(u.gradient().mul(1 - config.beta1()));
        u.set(mean, m);
        Expr p = u.parameter();
        if (group.weightDecay() != 0) {
            p = p.mul(Expr.of(1).sub(u.scalar(RATE).mul(group.weightDecay())));
        }
        Expr scale = curvature(u).mul(config.rho()).max(Expr.of(config.epsilon()));
        Expr clipped = m.div(scale).min(Expr.of(1)).max(Expr.of(-1));
        u.setParameter(p.sub(u.scalar(RATE).mul(clipped)));
    }
}
