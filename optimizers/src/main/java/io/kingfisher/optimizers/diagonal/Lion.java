package io.kingfisher.optimizers.diagonal;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import java.util.List;

/**
 * Lion (Chen et al., Symbolic Discovery of Optimization Algorithms, NeurIPS 2023, algorithm 2), the sign of a momentum with
 * decoupled weight decay: p = p - lr (sign(b1 m + (1 - b1) g) + wd p); m = b2 m + (1 - b2) g.
 */
public final class Lion extends Optimizer {
    /**
     * @param beta1 the momentum's share in the step, from 0 to 1
     * @param beta2 the decay of the momentum, from 0 to below 1
     */
    public record Config(double beta1, double beta2) {
        public Config {
            if (!(beta1 >= 0 && beta1 <= 1) || !(beta2 >= 0 && beta2 < 1)) {
                throw new KingfisherException("Lion needs a beta1 from 0 to 1 and a beta2 from 0 to below 1, not "
                        + beta1 + " and " + beta2 + ".");
            }
        }

        /** The paper's. */
        public static Config usual() {
            return new Config(0.9, 0.99);
        }
    }

    private final Config config;

    public Lion(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter(), g = u.gradient();
        Update.Slot momentum = u.state("exp_avg");
        Expr m = momentum.value();
        Expr direction = m.mul(config.beta1()).add(g.mul(1 - config.beta1())).sign();
        u.set(momentum, m.mul(config.beta2()).add(g.mul(1 - config.beta2())));
        if (group.weightDecay() != 0) {
            direction = direction.add(p.mul(group.weightDecay()));
        }
        u.setParameter(p.sub(u.scalar(RATE).mul(direction)));
    }
}
