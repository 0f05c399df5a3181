package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import java.util.List;

/**
 * Adam (Kingma and Ba, ICLR 2015, algorithm 1) with weight decay added to the gradient, or AdamW (Loshchilov and Hutter, ICLR
 * 2019, algorithm 2) with weight decay apart from it: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = p - lr (m / (1 -
 * b1^t)) / (sqrt(v / (1 - b2^t)) + eps), where AdamW first takes p = p (1 - lr wd). As {@code torch.optim.Adam} and
 * {@code AdamW}.
 */
public final class Adam extends Optimizer {
    /**
     * @param beta1 the decay of the mean, from 0 to below 1
     * @param beta2 the decay of the mean square, from 0 to below 1
     * @param epsilon what keeps the division from zero, above 0
     * @param decoupled whether weight decay goes past the gradient (AdamW)
     */
    public record Config(double beta1, double beta2, double epsilon, boolean decoupled) {
        public Config {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1) || !(epsilon > 0)) {
                throw new KingfisherException("Adam needs betas from 0 to below 1 and an epsilon above 0, not " + beta1
                        + ", " + beta2 + " and " + epsilon + ".");
            }
        }

        public static Config adam() {
            return new Config(0.9, 0.999, 1e-8, false);
        }

        public static Config adamW() {
            return new Config(0.9, 0.999, 1e-8, true);
        }
    }

    private final Config config;
    private final Expr stepSize;
    private final Expr meanSquareCorrection;

    public Adam(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        this.stepSize = RATE.div(correction(config.beta1()));
        this.meanSquareCorrection = Expr.of(1).div(correction(config.beta2()).sqrt());
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter(), g = u.gradient();
        if (group.weightDecay() != 0) {
            if (config.decoupled()) {
                p = p.mul(Expr.of(1).sub(u.scalar(RATE).mul(group.weightDecay())));
            } else {
                g = g.add(p.mul(group.weightDecay()));
            }
        }
        Update.Slot mean = u.state("exp_avg"), square = u.state("exp_avg_sq");
        Expr m = mean.value().mul(config.beta1()).add(g.mul(1 - config.beta1()));
        Expr v = square.value().mul(config.beta2()).add(g.square().mul(1 - config.beta2()));
        u.set(mean, m);
        u.set(square, v);
        Expr scale = v.sqrt().mul(u.scalar(meanSquareCorrection)).add(config.epsilon());
        u.setParameter(p.sub(u.scalar(stepSize).mul(m).div(scale)));
    }
}
