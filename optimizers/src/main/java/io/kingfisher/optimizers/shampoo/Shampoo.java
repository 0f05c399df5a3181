package io.kingfisher.optimizers.shampoo;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Optional;

/**
 * Shampoo (Gupta, Koren and Singer, ICML 2018, algorithm 2): the gradient G of k modes becomes G x_1 (H_1 + eps I)^(-1/2k) ...
 * x_k (H_k + eps I)^(-1/2k), H_i the sum of G_(i) G_(i)^T; of a matrix L^(-1/4) G R^(-1/4). Momentum is on what comes out, m = mu
 * m + direction, p = p - lr m. Axes of extent 1 are no modes; of a mode that is longer than {@code maxDimension} only the
 * diagonal of H_i is kept. A vector has one mode: AdaGrad with a full matrix.
 */
public final class Shampoo extends ModeOptimizer<Preconditioner> {
    /**
     * @param epsilon eps, above 0
     * @param decay 1 for sums as in the paper, or below 1 for exponential averages without their bias
     * @param momentum mu, from 0 to below 1
     * @param statistics steps between statistics
     * @param roots steps between roots, at which statistics are taken too
     * @param maxDimension the extent up to which a mode has a matrix
     * @param matrices whether all axes after the first count as one mode, as in a convolution [out, in x kh x kw]
     */
    public record Config(
            double epsilon,
            double decay,
            double momentum,
            int statistics,
            int roots,
            long maxDimension,
            boolean matrices) {
        public Config {
            if (!(decay > 0 && decay <= 1) || !(momentum >= 0 && momentum < 1) || maxDimension < 0) {
                throw new KingfisherException(
                        "Shampoo needs a decay above 0 up to 1, a momentum from 0 to below 1 and a"
                                + " largest dimension of at least 0, not " + decay + ", " + momentum + " and "
                                + maxDimension
                                + ".");
            }
            intervals("Shampoo", statistics, roots);
        }

        /** The paper's, with roots every ten steps. */
        public static Config usual() {
            return new Config(1e-4, 1, 0.9, 1, 10, 1200, false);
        }
    }

    private final Config config;
    private final Preconditioner.Rule rule;

    public Shampoo(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.statistics(), config.roots());
        this.config = config;
        this.rule = new Preconditioner.Rule(
                config.decay() == 1 ? Averaging.sum(0) : Averaging.corrected(config.decay()),
                new Roots.Ridge(config.epsilon(), false),
                0,
                Optional.empty(),
                config.maxDimension());
    }

    @Override
    Optional<Tiling> tiling(Parameter parameter) {
        return Optional.of(Tiling.whole(
                config.matrices() ? Tiling.matrix(parameter.shape()) : Tiling.squeezed(parameter.shape())));
    }

    @Override
    Preconditioner keep(String path, Parameter parameter, Tiling.Tile tile) {
        return new Preconditioner(this, rule, path, tile);
    }

    @Override
    void observe(Preconditioner state, Value blocks, Value refresh) {
        state.observe(blocks, refresh);
    }

    @Override
    List<Decompositions.Job> jobs(Preconditioner state) {
        return state.jobs();
    }

    @Override
    Value direction(Seen<Preconditioner> seen, Value gradient, Directions all) {
        return seen.join(
                List.of(seen.parts().get(0).state().apply(seen.cut(gradient).get(0))));
    }

    @Override
    boolean decayInGradient() {
        return true;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr direction = u.operand(direction(u.target()));
        if (config.momentum() != 0) {
            Update.Slot buffer = u.state("momentum_buffer");
            direction = buffer.value().mul(config.momentum()).add(direction);
            u.set(buffer, direction);
        }
        u.setParameter(u.parameter().sub(u.scalar(RATE).mul(direction)));
    }
}
