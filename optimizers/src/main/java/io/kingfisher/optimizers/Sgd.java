package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.STEP;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import java.util.List;

/**
 * Stochastic gradient descent with momentum, as {@code torch.optim.SGD}: g' = g + wd p; b = mu b + (1 - dampening) g', where
 * the first b is g'; p = p - lr b, or with Nesterov's momentum p = p - lr (g' + mu b).
 */
public final class Sgd extends Optimizer {
    /**
     * @param momentum mu, from 0 (none) to below 1
     * @param dampening from 0 to 1; 0 with Nesterov's momentum
     */
    public record Config(double momentum, double dampening, boolean nesterov) {
        public Config {
            if (!(momentum >= 0 && momentum < 1) || !(dampening >= 0 && dampening <= 1)) {
                throw new KingfisherException("SGD needs a momentum from 0 to below 1 and a dampening from 0 to 1, not "
                        + momentum + " and " + dampening + ".");
            }
            if (nesterov && (momentum == 0 || dampening != 0)) {
                throw new KingfisherException("Nesterov's momentum needs a momentum above 0 and no dampening.");
            }
        }
    }

    private final Config config;

    public Sgd(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter();
        Expr g = group.weightDecay() == 0 ? u.gradient() : u.gradient().add(p.mul(group.weightDecay()));
        Expr lr = u.scalar(RATE);
        if (config.momentum() == 0) {
            u.setParameter(p.sub(lr.mul(g)));
            return;
        }
        Update.Slot slot = u.state("momentum_buffer");
        // The buffer starts as zeros, so only the first step's dampening needs saying.
        Expr portion = config.dampening() == 0 ? Expr.of(1) : u.scalar(share(config.dampening()));
        Expr b = slot.value().mul(config.momentum()).add(g.mul(portion));
        u.set(slot, b);
        u.setParameter(p.sub(lr.mul(config.nesterov() ? g.add(b.mul(config.momentum())) : b)));
    }

    /** 1 in the first step, then 1 - dampening. */
    private static Expr share(double dampening) {
        return Expr.select(STEP.equalTo(Expr.of(1)), Expr.of(1), Expr.of(1 - dampening));
    }
}
