package io.kingfisher.optimizers.shampoo;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.RunningFactor;
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
 * Jorge (Singh, Sating and Bhatele, Jorge: Approximate Preconditioning for GPU-efficient Second-order Optimization, 2023):
 * {@link Shampoo} of matrices whose inverse fourth roots are followed by a binomial series, products alone.
 *
 * <pre>
 * X = Lh^4 G G^T; n = |X|; b = n / (n + 1)
 * Lh = b^(-1/4) Lh (I - X / 4n + 5/32 (X / n)^2), the same for Rh with G^T G
 * m = mu m + (1 - mu) Lh G Rh; s = mu s + G; p = p - lr (|s| / |m| m + wd p)
 * </pre>
 *
 * <p>The series takes it that Lh and G G^T commute. As they do not, Lh drifts from symmetry; the symmetric variant takes X = Lh^2 G
 * G^T Lh^2 and the symmetric part of what comes out. Weights of more axes than two are matrices [first x the rest];
 * vectors take the step lr s of plain momentum, and so does a side that is longer than {@code maxDimension} go without a
 * preconditioner.
 */
public final class Jorge extends ModeOptimizer<List<Optional<Jorge.Side>>> {
    /**
     * @param momentum mu, from 0 to below 1
     * @param epsilon the second moment that roots begin from is epsilon I; above 0
     * @param floor of the second moment: this multiple of its mean diagonal is added to its diagonal, so that the root of a
     *     direction without gradients does not grow for ever; 0 as published
     * @param terms of the series after the first, 2 as published or 3
     * @param symmetric whether Lh and Rh are kept symmetric
     * @param interval steps between their refreshes
     * @param maxDimension the extent up to which a side has a root
     */
    public record Config(
            double momentum,
            double epsilon,
            double floor,
            int terms,
            boolean symmetric,
            int interval,
            long maxDimension) {
        public Config {
            if (!(momentum >= 0 && momentum < 1) || !(epsilon > 0) || !(floor >= 0) || maxDimension < 0) {
                throw new KingfisherException(
                        "Jorge needs a momentum from 0 to below 1, an epsilon above 0, a floor and a"
                                + " largest dimension of at least 0, not " + momentum + ", " + epsilon + ", " + floor
                                + " and "
                                + maxDimension + ".");
            }
            if (terms != 2 && terms != 3) {
                throw new KingfisherException("Jorge's series has 2 or 3 terms, not " + terms + ".");
            }
            intervals("Jorge", interval, interval);
        }

        public static Config usual() {
            return new Config(0.9, 1e-6, 1e-6, 2, true, 1, 8192);
        }
    }

    /** A side's approximate root, which takes what is finite only. */
    public record Side(RunningFactor root) {}

    private final Config config;

    public Jorge(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, config.interval(), 0);
        this.config = config;
    }

    @Override
    Optional<Tiling> tiling(Parameter parameter) {
        Shape view = Tiling.matrix(parameter.shape());
        if (view.rank() < 2) {
            note(parameter.path() + ": no matrix; updated with momentum alone");
            return Optional.empty();
        }
        return Optional.of(Tiling.whole(view));
    }

    @Override
    List<Optional<Side>> keep(String path, Parameter parameter, Tiling.Tile tile) {
        List<Optional<Side>> sides = new ArrayList<>();
        for (int mode = 0; mode < 2; mode++) {
            long d = tile.extents().get(mode);
            if (d > config.maxDimension()) {
                note(path + ": side " + mode + " of " + d + " is longer than " + config.maxDimension()
                        + " and has no preconditioner");
                sides.add(Optional.empty());
                continue;
            }
            Averaging replaced = new Averaging(Expr.of(0), Expr.of(1), Math.pow(config.epsilon(), -0.25));
            sides.add(Optional.of(new Side(factor(path + ".mode" + mode + ".root", Shape.of(1, d, d), replaced))));
        }
        return sides;
    }

    @Override
    void observe(List<Optional<Side>> sides, Value blocks, Value refresh) {
        for (int mode = 0; mode < sides.size(); mode++) {
            int m = mode;
            sides.get(mode).ifPresent(side -> {
                Value root = side.root().read(blocks.graph());
                side.root().take(next(root, Modes.moment(blocks, m)), refresh);
            });
        }
    }

    /** The root after a second moment of the gradient has come in; as it was where that is zero. */
    private Value next(Value root, Value plain) {
        Graph graph = root.graph();
        Value eye = Matrices.identity(graph, plain.dim(-1), plain.dtype());
        Value moment = config.floor() == 0
                ? plain
                : plain.add(eye.mul(Matrices.trace(plain).mul(config.floor() / plain.dim(-1))));
        Value squared = root.matmul(root);
        Value x = config.symmetric()
                ? squared.matmul(moment).matmul(squared)
                : squared.matmul(squared).matmul(moment);
        Value n = x.square().sum(1, 2).sqrt().reshape(x.dim(0), 1, 1);
        Expr safe = Expr.select(Expr.of(0).lessThan(Expr.arg(1)), Expr.arg(1), Expr.of(1));
        Value ratio = graph.map(Expr.arg(0).div(safe), x, n);
        Value square = ratio.matmul(ratio);
        Value series =
                graph.map(Expr.arg(0).sub(Expr.arg(1).mul(0.25)).add(Expr.arg(2).mul(5.0 / 32)), eye, ratio, square);
        if (config.terms() == 3) {
            series = series.sub(square.matmul(ratio).mul(15.0 / 128));
        }
        Expr scale = safe.div(safe.add(1)).pow(-0.25);
        Value result = graph.map(Expr.arg(0).mul(scale), root.matmul(series), n);
        if (config.symmetric()) {
            result = result.add(result.t()).mul(0.5);
        }
        return n.select(result, root);
    }

    @Override
    boolean decayInGradient() {
        return false;
    }

    @Override
    Value direction(Seen<List<Optional<Side>>> seen, Value gradient, Directions all) {
        Graph graph = all.graph();
        List<Optional<Side>> sides = seen.parts().get(0).state();
        Value blocks = seen.cut(gradient).get(0), result = blocks;
        for (int mode = 0; mode < sides.size(); mode++) {
            if (sides.get(mode).isPresent()) {
                Value root = sides.get(mode).get().root().read(graph);
                // X of the published variant is no symmetric matrix: the right side takes G Rh, the left Lh G.
                result = Modes.times(root, mode == 1, result, mode);
            }
        }
        String path = seen.parameter().path();
        double mu = config.momentum();
        Shape shape = seen.parameter().shape();
        Value mean = momentum(tensor(path + ".exp_avg", shape), seen.join(List.of(result)), mu, 1 - mu);
        Value plain = momentum(tensor(path + ".momentum_buffer", shape), gradient, mu, 1);
        Expr ratio = Expr.select(
                Expr.of(0).lessThan(Expr.arg(1)), Expr.arg(0).div(Expr.arg(1)).sqrt(), Expr.of(0));
        return mean.mul(graph.map(ratio, plain.square().sum(), mean.square().sum()));
    }

    private static Value momentum(Tensor buffer, Value fresh, double keep, double take) {
        Graph graph = fresh.graph();
        Value next = graph.map(Expr.arg(0).mul(keep).add(Expr.arg(1).mul(take)), graph.read(buffer), fresh);
        graph.assign(buffer, next);
        return next;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Value known = direction(u.target());
        Expr direction;
        if (known != null) {
            direction = u.operand(known);
        } else {
            Update.Slot buffer = u.state("momentum_buffer");
            direction = buffer.value().mul(config.momentum()).add(u.gradient());
            u.set(buffer, direction);
        }
        if (group.weightDecay() != 0) {
            direction = direction.add(u.parameter().mul(group.weightDecay()));
        }
        u.setParameter(u.parameter().sub(u.scalar(RATE).mul(direction)));
    }
}
