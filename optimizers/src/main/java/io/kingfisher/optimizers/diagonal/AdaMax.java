package io.kingfisher.optimizers.diagonal;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import java.util.List;

/**
 * AdaMax (Kingma and Ba, ICLR 2015, algorithm 2), Adam with the largest gradient of late instead of the mean square, weight
 * decay being part of the gradient: m = b1 m + (1 - b1) g; u = max(b2 u, |g| + eps); p = p - lr / (1 - b1^t) m / u. As
 * {@code torch.optim.Adamax}.
 */
public final class AdaMax extends Optimizer {
    /**
     * @param beta1 the decay of the mean, from 0 to below 1
     * @param beta2 the decay of the largest, from 0 to below 1
     * @param epsilon what keeps the division from zero, above 0
     */
    public record Config(double beta1, double beta2, double epsilon) {
        public Config {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1) || !(epsilon > 0)) {
                throw new KingfisherException("AdaMax needs betas from 0 to below 1 and an epsilon above 0, not "
                        + beta1 + ", " + beta2 + " and " + epsilon + ".");
            }
        }

        /** The paper's. */
        public static Config usual() {
            return new Config(0.9, 0.999, 1e-8);
        }
    }

    private final Config config;
    private final Expr stepSize;

    public AdaMax(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        this.stepSize = RATE.div(correction(config.beta1()));
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter();
        Expr g = group.weightDecay() == 0 ? u.gradient() : u.gradient().add(p.mul(group.weightDecay()));
        Update.Slot mean = u.state("exp_avg"), largest = u.state("exp_inf");
        Expr m = mean.value().mul(config.beta1()).add(g.mul(1 - config.beta1()));
        Expr bound = largest.value().mul(config.beta2()).max(g.abs().add(config.epsilon()));
        u.set(mean, m);
        u.set(largest, bound);
        u.setParameter(p.sub(u.scalar(stepSize).mul(m).div(bound)));
    }
}
