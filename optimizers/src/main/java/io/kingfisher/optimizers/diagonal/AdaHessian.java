package io.kingfisher.optimizers.diagonal;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * AdaHessian (Yao et al., AAAI 2021, algorithm 1): Adam whose second moment is that of an estimate of the Hessian's diagonal.
 * With z of random signs, h = |H z|, averaged over a convolution's kernel positions; v = b2 v + (1 - b2) h^2; p = p - lr ((m /
 * (1 - b1^t)) / (sqrt(v / (1 - b2^k))^power + eps) + wd p), k being the number of estimates. As in the authors' code h is |H z|
 * = |z (H z)| before the average over positions, which the paper takes of z (H z) itself.
 */
public final class AdaHessian extends DiagonalCurvature {
    /**
     * @param beta1 the decay of the mean of gradients, from 0 to below 1
     * @param beta2 the decay of the mean of squared estimates, from 0 to below 1
     * @param epsilon what keeps the division from zero, above 0
     * @param power of the Hessian in the denominator, from 0 (momentum SGD) to 1
     * @param interval the steps from one estimate to the next, at least 1
     */
    public record Config(double beta1, double beta2, double epsilon, double power, long interval) {
        public Config {
            if (!(beta1 >= 0 && beta1 < 1)
                    || !(beta2 >= 0 && beta2 < 1)
                    || !(epsilon > 0)
                    || !(power >= 0 && power <= 1)) {
                throw new KingfisherException("AdaHessian needs betas from 0 to below 1, an epsilon above 0 and a power"
                        + " from 0 to 1, not " + beta1 + ", " + beta2 + ", " + epsilon + " and " + power + ".");
            }
        }

        /** The published settings; their learning rate is 0.15. */
        public static Config usual() {
            return new Config(0.9, 0.999, 1e-4, 1, 1);
        }
    }

    private final Config config;

    public AdaHessian(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.interval(), Averaging.corrected(config.beta2()));
        this.config = config;
    }

    @Override
    Shape shape(Parameter parameter) {
        Shape shape = parameter.shape();
        return shape.rank() == 4 ? shape.with(2, 1).with(3, 1) : shape;
    }

    @Override
    Map<Parameter, Value> estimates(Gradients gradients) {
        Map<Parameter, Value> squares = new LinkedHashMap<>();
        HessianProbe.draw(gradients, Random.Distribution.RADEMACHER).forEach((parameter, probe) -> {
            Value h = probe.product().abs();
            if (h.rank() == 4) {
                h = h.reduce(Reduce.Kind.SUM, true, 2, 3).mul(1.0 / h.reduced(2, 3));
            }
            squares.put(parameter, h.square());
        });
        return squares;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Update.Slot mean = u.state("exp_avg");
        Expr m = mean.value().mul(config.beta1()).add(u.gradient().mul(1 - config.beta1()));
        u.set(mean, m);
        Expr diagonal = curvature(u).sqrt();
        Expr scale = (config.power() == 1 ? diagonal : diagonal.pow(config.power())).add(config.epsilon());
        Expr step = u.scalar(RATE.div(correction(config.beta1()))).mul(m).div(scale);
        Expr decay = u.scalar(RATE).mul(group.weightDecay()).mul(u.parameter());
        u.setParameter(u.parameter().sub(group.weightDecay() == 0 ? step : step.add(decay)));
    }
}
