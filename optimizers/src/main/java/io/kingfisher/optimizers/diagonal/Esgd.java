package io.kingfisher.optimizers.diagonal;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Gradients;
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
 * ESGD (Dauphin et al., NIPS 2015, algorithm 1): gradient descent with the equilibration preconditioner sqrt(diag(H^2)), which
 * unlike the diagonal of H does not vanish where large curvatures of different signs meet. With v standard normal, D is the
 * mean of all (H v)^2 so far and p = p - lr (g + wd p) / (sqrt(D) + damping).
 */
public final class Esgd extends DiagonalCurvature {
    /**
     * @param damping added to the denominator, above 0
     * @param interval the steps from one estimate to the next, at least 1
     */
    public record Config(double damping, long interval) {
        public Config {
            if (!(damping > 0)) {
                throw new KingfisherException("ESGD needs a damping above 0, not " + damping + ".");
            }
        }

        /** The published settings. */
        public static Config usual() {
            return new Config(1e-4, 20);
        }
    }

    private final Config config;

    public Esgd(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.interval(), Averaging.mean());
        this.config = config;
    }

    @Override
    Map<Parameter, Value> estimates(Gradients gradients) {
        Map<Parameter, Value> squares = new LinkedHashMap<>();
        HessianProbe.draw(gradients, Random.Distribution.NORMAL)
                .forEach((parameter, probe) ->
                        squares.put(parameter, probe.product().square()));
        return squares;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter();
        Expr g = group.weightDecay() == 0 ? u.gradient() : u.gradient().add(p.mul(group.weightDecay()));
        Expr scale = curvature(u).sqrt().add(config.damping());
        u.setParameter(p.sub(u.scalar(RATE).mul(g).div(scale)));
    }
}
