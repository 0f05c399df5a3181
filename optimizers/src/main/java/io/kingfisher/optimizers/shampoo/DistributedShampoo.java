package io.kingfisher.optimizers.shampoo;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.STEP;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.NewtonRoots;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shampoo as it is used at scale (Anil et al., Scalable Second Order Optimization for Deep Learning, 2020; Shi et al., A
 * Distributed Data-Parallel PyTorch Implementation of the Distributed Shampoo Optimizer, 2023), in one process: small axes are
 * joined, large ones cut into blocks, each block has a {@link Shampoo} of its own on a running mean of the gradient, and its
 * length is that of another method's step ("grafting", Agarwal et al., 2020).
 *
 * <pre>
 * H_i = b2 H_i + (1 - b2) G_(i) G_(i)^T, or sums;  m = b1 m + (1 - b1) G, both without their bias
 * d = m x_1 (H_1 + ridge)^(-1/2k) ... x_k (H_k + ridge)^(-1/2k);  d = d |a| / |d| by block, a the grafted step of m
 * d = d + wd p where decay is decoupled;  b = mu b + d;  p = p - lr b, or lr (d + mu b) with Nesterov's momentum
 * </pre>
 *
 * Until step {@code start} d is the grafted step a itself. A block whose gradients were all zero stays where it is.
 */
public final class DistributedShampoo extends ModeOptimizer<Preconditioner> {
    /** By what roots are taken. */
    public enum RootMethod {
        /** Eigenvalues. */
        EIGEN,
        /** Products alone, of whole orders p. */
        COUPLED_NEWTON
    }

    /** Whose step gives a block's step its length: a = m / scale. */
    public enum Graft {
        /** d keeps its length. */
        NONE,
        /** a = m. */
        SGD,
        /** The scale is the root of the sum of squares. */
        ADAGRAD,
        /** The scale is the root of the mean square. */
        RMSPROP,
        /** The same without the mean square's bias. */
        ADAM
    }

    /**
     * @param beta2 the decay of the mean square
     * @param epsilon added to the root, above 0
     */
    public record Grafting(Graft graft, double beta2, double epsilon) {
        public Grafting {
            if (!(beta2 >= 0 && beta2 < 1) || !(epsilon > 0)) {
                throw new KingfisherException("Grafting needs a beta2 from 0 to below 1 and an epsilon above 0, not "
                        + beta2 + " and " + epsilon + ".");
            }
        }
    }

    /**
     * @param beta1 b1, from 0 (none) to below 1
     * @param beta2 b2, above 0; 1 for sums
     * @param momentum mu, from 0 to below 1
     * @param nesterov whether it looks ahead
     * @param block the largest extent of a block, at least 1
     * @param merge whether neighbouring axes become one while that is no longer than a block
     * @param ridge under the second moments
     * @param method of taking roots
     * @param root p of the roots H_i^(-1/p); 0 for twice the number of modes
     * @param statistics steps between statistics
     * @param roots steps between roots, at which statistics are taken too
     * @param start the first step that is preconditioned, at least 1
     * @param decoupled whether weight decay goes past the gradient
     */
    public record Config(
            double beta1,
            double beta2,
            double momentum,
            boolean nesterov,
            long block,
            boolean merge,
            Roots.Ridge ridge,
            RootMethod method,
            double root,
            int statistics,
            int roots,
            long start,
            Grafting grafting,
            boolean decoupled) {
        public Config {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 > 0 && beta2 <= 1) || !(momentum >= 0 && momentum < 1)) {
                throw new KingfisherException(
                        "Distributed Shampoo needs a beta1 from 0 to below 1, a beta2 above 0 up to"
                                + " 1 and a momentum from 0 to below 1, not " + beta1 + ", " + beta2 + " and "
                                + momentum + ".");
            }
            if (block < 1 || start < 1 || !(root >= 0)) {
                throw new KingfisherException(
                        "Distributed Shampoo needs a block of at least 1, a start of at least 1 and"
                                + " a root of at least 0, not " + block + ", " + start + " and " + root + ".");
            }
            intervals("Distributed Shampoo", statistics, roots);
        }

        /** Settings in common use: grafted to Adam, roots every hundred steps, preconditioned from when they are of many. */
        public static Config usual() {
            return new Config(
                    0.9,
                    0.999,
                    0,
                    false,
                    1024,
                    true,
                    new Roots.Ridge(1e-6, true),
                    RootMethod.EIGEN,
                    0,
                    1,
                    100,
                    101,
                    new Grafting(Graft.ADAM, 0.999, 1e-8),
                    true);
        }
    }

    private final Config config;
    private final Preconditioner.Rule rule;
    private final Optional<NewtonRoots> newton;

    public DistributedShampoo(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.statistics(), config.roots());
        this.config = config;
        this.newton =
                config.method() == RootMethod.COUPLED_NEWTON ? Optional.of(new NewtonRoots(device)) : Optional.empty();
        this.rule = new Preconditioner.Rule(
                config.beta2() == 1 ? Averaging.sum(0) : Averaging.corrected(config.beta2()),
                config.ridge(),
                config.root(),
                newton,
                Long.MAX_VALUE);
    }

    @Override
    Optional<Tiling> tiling(Parameter parameter) {
        Shape shape = parameter.shape();
        return Optional.of(Tiling.of(
                config.merge() ? Tiling.merged(shape, config.block()) : Tiling.squeezed(shape), config.block()));
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
    void beforeDecompositions() {
        newton.ifPresent(NewtonRoots::run);
    }

    @Override
    public void close() {
        newton.ifPresent(NewtonRoots::close);
        super.close();
    }

    @Override
    boolean decayInGradient() {
        return !config.decoupled();
    }

    @Override
    Value direction(Seen<Preconditioner> seen, Value gradient, Directions all) {
        Parameter parameter = seen.parameter();
        Value mean = filtered(parameter, gradient, all), grafted = grafted(parameter, gradient, mean, all);
        List<Value> means = seen.cut(mean), lengths = seen.cut(grafted), directions = new ArrayList<>();
        for (int i = 0; i < means.size(); i++) {
            Value direction = seen.parts().get(i).state().apply(means.get(i));
            directions.add(
                    config.grafting().graft() == Graft.NONE ? direction : withLengthOf(lengths.get(i), direction));
        }
        Value preconditioned = seen.join(directions);
        if (config.start() == 1) {
            return preconditioned;
        }
        Value early = all.scalar(parameter, STEP.lessThan(Expr.of(config.start())));
        return early.select(grafted, preconditioned);
    }

    /** Each block scaled to another's norm. */
    private static Value withLengthOf(Value other, Value blocks) {
        Value wanted = Modes.norm(other), norm = Modes.norm(blocks);
        Expr ratio = Expr.select(Expr.of(0).lessThan(Expr.arg(1)), Expr.arg(0).div(Expr.arg(1)), Expr.of(0));
        return blocks.mul(blocks.graph().map(ratio, wanted, norm));
    }

    /** The running mean of the gradient. */
    private Value filtered(Parameter parameter, Value gradient, Directions all) {
        if (config.beta1() == 0) {
            return gradient;
        }
        Tensor mean = tensor(parameter.path() + ".exp_avg", parameter.shape());
        Value next = average(mean, gradient, config.beta1());
        return next.mul(all.scalar(parameter, Expr.of(1).div(correction(config.beta1()))));
    }

    private static Value average(Tensor tensor, Value fresh, double decay) {
        Graph graph = fresh.graph();
        Expr sum = Expr.arg(0).mul(decay).add(Expr.arg(1).mul(1 - decay));
        Value next = graph.map(sum, graph.read(tensor), fresh);
        graph.assign(tensor, next);
        return next;
    }

    /** The step of the method whose length is taken. */
    private Value grafted(Parameter parameter, Value gradient, Value mean, Directions all) {
        Grafting grafting = config.grafting();
        Graph graph = all.graph();
        if (grafting.graft() == Graft.NONE || grafting.graft() == Graft.SGD) {
            return mean;
        }
        Tensor squares = tensor(parameter.path() + ".exp_avg_sq", parameter.shape());
        Value next;
        if (grafting.graft() == Graft.ADAGRAD) {
            next = graph.read(squares).add(gradient.square());
            graph.assign(squares, next);
        } else {
            next = average(squares, gradient.square(), grafting.beta2());
        }
        Expr unbiased = grafting.graft() == Graft.ADAM ? Expr.of(1).div(correction(grafting.beta2())) : Expr.of(1);
        Expr divided = Expr.arg(0).div(Expr.arg(1).mul(Expr.arg(2)).sqrt().add(grafting.epsilon()));
        return graph.map(divided, DType.F32, List.of(mean, next, all.scalar(parameter, unbiased)));
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr direction = u.operand(direction(u.target()));
        if (config.decoupled() && group.weightDecay() != 0) {
            direction = direction.add(u.parameter().mul(group.weightDecay()));
        }
        if (config.momentum() != 0) {
            Update.Slot slot = u.state("momentum_buffer");
            Expr buffer = slot.value().mul(config.momentum()).add(direction);
            u.set(slot, buffer);
            direction = config.nesterov() ? direction.add(buffer.mul(config.momentum())) : buffer;
        }
        u.setParameter(u.parameter().sub(u.scalar(RATE).mul(direction)));
    }
}
