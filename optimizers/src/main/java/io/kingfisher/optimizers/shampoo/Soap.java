package io.kingfisher.optimizers.shampoo;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.STEP;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.OrthogonalIteration;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * SOAP (Vyas et al., SOAP: Improving and Stabilizing Shampoo using Adam, 2024, algorithm 3): AdamW in the basis of the
 * eigenvectors of Shampoo's second moments.
 *
 * <pre>
 * G' = Q_L^T G Q_R; m = b1 m + (1 - b1) G'; v = b2 v + (1 - b2) G'^2
 * p = p (1 - lr wd) - lr sqrt(1 - b2^t) / (1 - b1^t) Q_L [m / (sqrt v + eps)] Q_R^T
 * then L = bs L + (1 - bs) G G^T, R = bs R + (1 - bs) G^T G
 * </pre>
 *
 * <p>The bases come from an eigendecomposition in the first step, which updates no parameter, and are refreshed before steps f + 1,
 * 2 f + 1, ... by one orthogonal iteration from the second moments up to the step before; m turns with them, v takes their order.
 * A tensor has a basis for each axis longer than 1 and no longer than {@code maxDimension}; where none is left, and for vectors
 * unless told otherwise, the rule is AdamW.
 */
public final class Soap extends ModeOptimizer<List<Optional<Soap.Side>>> {
    /**
     * @param beta1 b1, from 0 to below 1
     * @param beta2 b2, from 0 to below 1
     * @param shampooBeta bs, from 0 to below 1
     * @param epsilon eps, above 0
     * @param interval f, steps between refreshes of the bases
     * @param maxDimension the extent up to which an axis has a basis
     * @param vectors whether vectors have one, too
     * @param normalize whether each parameter's step has a mean square of 1 before the learning rate
     */
    public record Config(
            double beta1,
            double beta2,
            double shampooBeta,
            double epsilon,
            int interval,
            long maxDimension,
            boolean vectors,
            boolean normalize) {
        public Config {
            for (double beta : new double[] {beta1, beta2, shampooBeta}) {
                if (!(beta >= 0 && beta < 1)) {
                    throw new KingfisherException("SOAP needs betas from 0 to below 1, not " + beta + ".");
                }
            }
            if (!(epsilon > 0) || maxDimension < 0) {
                throw new KingfisherException(
                        "SOAP needs an epsilon above 0 and a largest dimension of at least 0, not " + epsilon + " and "
                                + maxDimension + ".");
            }
            intervals("SOAP", interval, interval);
        }

        /** The authors'. */
        public static Config usual() {
            return new Config(0.95, 0.95, 0.95, 1e-8, 10, 10_000, false, false);
        }
    }

    /** The second moment along an axis and its eigenvectors, of a parameter with its moments in their basis. */
    record Side(int mode, RunningFactor factor, Tensor basis, Parameter parameter, Shape blocks) {}

    /** Averages take what comes with a refresh above 0. */
    private static Averaging averaging(double beta) {
        Expr taken = Expr.of(0).lessThan(Averaging.REFRESH);
        return new Averaging(
                Expr.select(taken, Expr.of(beta), Expr.of(1)), Expr.select(taken, Expr.of(1 - beta), Expr.of(0)), 0);
    }

    private final Config config;
    private final Expr stepSize;

    public Soap(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping, 1, config.interval());
        this.config = config;
        // The first step makes no update, so that Adam's count is one behind.
        Expr t = STEP.sub(1).max(Expr.of(1));
        Expr size = RATE.mul(missing(config.beta2(), t).sqrt()).div(missing(config.beta1(), t));
        this.stepSize = Expr.select(STEP.lessOrEqual(Expr.of(1)), Expr.of(0), size);
    }

    private static Expr missing(double beta, Expr t) {
        return Expr.of(1).sub(Expr.of(beta).pow(t));
    }

    @Override
    Optional<Tiling> tiling(Parameter parameter) {
        Shape view = Tiling.squeezed(parameter.shape());
        boolean any = false;
        for (long d : view.toArray()) {
            any |= d <= config.maxDimension();
        }
        if (!any || (view.rank() == 1 && !config.vectors())) {
            note(parameter.path() + ": no axis with a basis; updated by AdamW");
            return Optional.empty();
        }
        return Optional.of(Tiling.whole(view));
    }

    @Override
    List<Optional<Side>> keep(String path, Parameter parameter, Tiling.Tile tile) {
        List<Optional<Side>> sides = new ArrayList<>();
        for (int mode = 0; mode < tile.extents().size(); mode++) {
            long d = tile.extents().get(mode);
            Shape matrix = Shape.of(1, d, d);
            String name = path + ".mode" + mode;
            sides.add(
                    d > config.maxDimension()
                            ? Optional.empty()
                            : Optional.of(new Side(
                                    mode,
                                    factor(name, matrix, averaging(config.shampooBeta())),
                                    tensor(name + ".vectors", matrix),
                                    parameter,
                                    tile.blocks())));
        }
        moment(parameter, "exp_avg");
        moment(parameter, "exp_avg_sq");
        taken();
        bases();
        return sides;
    }

    private Tensor moment(Parameter parameter, String name) {
        return tensor(parameter.path() + "." + name, parameter.shape());
    }

    @Override
    void observe(List<Optional<Side>> sides, Value blocks, Value refresh) {
        for (Optional<Side> each : sides) {
            each.ifPresent(side -> side.factor().take(Modes.moment(blocks, side.mode()), refresh));
        }
    }

    /** Before the bases are made the first time, the first gradient's second moments are there; later ones come after updates. */
    @Override
    void observe(Gradients gradients, Cadence cadence) {
        if (cadence != Cadence.SOLVE) {
            return;
        }
        Graph graph = gradients.loss().graph();
        Value known = graph.read(taken());
        Value first = known.equalTo(graph.scalar(0));
        graph.assign(taken(), known.add(first));
        observeAll(graph, clipped(graph, gradients::of), first);
    }

    /** How many gradients the second moments are of. */
    private Tensor taken() {
        return tensor("refreshes", Shape.SCALAR);
    }

    /** 1 once there are bases. */
    private Tensor bases() {
        return tensor("bases", Shape.SCALAR);
    }

    @Override
    protected void solve() {
        if (bases().item() != 0) {
            run("refresh", sides -> jobs(sides, this::refresh));
        } else if (taken().item() != 0) {
            run("first", sides -> jobs(sides, this::first));
            bases().set(0, 1);
        }
    }

    private interface Routine {
        Decompositions.Outcome of(Side side, Value moment);
    }

    private List<Decompositions.Job> jobs(List<Optional<Side>> sides, Routine routine) {
        List<Decompositions.Job> jobs = new ArrayList<>();
        for (Optional<Side> each : sides) {
            each.ifPresent(side -> jobs.add(new Decompositions.Routine(
                    side.factor().name(), side.factor()::read, moment -> routine.of(side, moment))));
        }
        return jobs;
    }

    private Decompositions.Outcome first(Side side, Value moment) {
        Node eigh = moment.graph().add(new LinearAlgebra.Eigh(), moment);
        return new Decompositions.Outcome(eigh.output(2), Map.of(side.basis(), eigh.output(1)));
    }

    private Decompositions.Outcome refresh(Side side, Value moment) {
        Graph graph = moment.graph();
        Value old = graph.read(side.basis()).cast(moment.dtype());
        OrthogonalIteration.Step step = OrthogonalIteration.step(moment, old);
        Tensor mean = moment(side.parameter(), "exp_avg"), square = moment(side.parameter(), "exp_avg_sq");
        Value turn = step.basis().matmul(old, true, false);
        Map<Tensor, Value> results = new HashMap<>();
        results.put(side.basis(), step.basis());
        results.put(mean, along(side, turn, false, graph.read(mean)));
        results.put(square, along(side, step.order(), true, graph.read(square)));
        return new Decompositions.Outcome(step.info(), results);
    }

    private static Value along(Side side, Value matrix, boolean transpose, Value values) {
        Value blocks = values.reshape(side.blocks()).cast(matrix.dtype());
        return Modes.times(matrix, transpose, blocks, side.mode()).reshape(values.shape());
    }

    @Override
    protected void direct(Directions all) {
        super.direct(all);
        Graph graph = all.graph();
        if (seen().isEmpty()) {
            return;
        }
        Map<Parameter, Value> gradients = new HashMap<>();
        all.parameters().forEach(parameter -> gradients.put(parameter, all.gradient(parameter)));
        Value later = all.scalar(all.parameters().get(0), Expr.of(1).lessThan(STEP));
        graph.assign(taken(), graph.read(taken()).add(later));
        observeAll(graph, gradients, later);
    }

    @Override
    boolean decayInGradient() {
        return false;
    }

    /** Q_L [m / (sqrt v + eps)] Q_R^T without the step size; the first step leaves the moments at zero. */
    @Override
    Value direction(Seen<List<Optional<Side>>> seen, Value gradient, Directions all) {
        Graph graph = all.graph();
        Parameter parameter = seen.parameter();
        List<Optional<Side>> sides = seen.parts().get(0).state();
        Value rotated = turned(sides, seen.cut(gradient).get(0), true);
        Value later = all.scalar(parameter, Expr.of(1).lessThan(STEP));
        Tensor mean = moment(parameter, "exp_avg"), square = moment(parameter, "exp_avg_sq");
        Value m = average(mean, rotated, config.beta1(), later),
                v = average(square, rotated.square(), config.beta2(), later);
        Value scaled = graph.map(Expr.arg(0).div(Expr.arg(1).sqrt().add(config.epsilon())), m, v);
        Value direction = seen.join(List.of(turned(sides, scaled, false)));
        return config.normalize() ? normalized(direction, parameter) : direction;
    }

    private Value average(Tensor tensor, Value fresh, double beta, Value later) {
        Graph graph = fresh.graph();
        Expr next = Expr.arg(0).mul(beta).add(Expr.arg(1).mul(1 - beta));
        Value averaged = graph.map(
                Expr.select(Expr.arg(2), next, Expr.arg(0)), graph.read(tensor).reshape(fresh.shape()), fresh, later);
        graph.assign(tensor, averaged.reshape(tensor.shape()));
        return averaged;
    }

    private static Value turned(List<Optional<Side>> sides, Value blocks, boolean into) {
        Value result = blocks;
        for (Optional<Side> each : sides) {
            if (each.isPresent()) {
                Side side = each.get();
                result = Modes.times(blocks.graph().read(side.basis()), into, result, side.mode());
            }
        }
        return result;
    }

    private static Value normalized(Value direction, Parameter parameter) {
        Value mean = direction.square().sum().mul(1.0 / parameter.shape().elements());
        return direction.graph().map(Expr.arg(0).div(Expr.arg(1).sqrt().add(1e-30)), direction, mean);
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter();
        Value known = direction(u.target());
        Expr direction, later = u.scalar(Expr.of(1).lessThan(STEP));
        if (known != null) {
            direction = u.operand(known);
        } else {
            Update.Slot mean = u.state("exp_avg"), square = u.state("exp_avg_sq");
            Expr g = u.gradient(), before = mean.value(), squares = square.value();
            Expr m = before.mul(config.beta1()).add(g.mul(1 - config.beta1()));
            Expr v = squares.mul(config.beta2()).add(g.square().mul(1 - config.beta2()));
            u.set(mean, Expr.select(later, m, before));
            u.set(square, Expr.select(later, v, squares));
            direction = m.div(v.sqrt().add(config.epsilon()));
        }
        Expr step = u.scalar(stepSize).mul(direction);
        if (group.weightDecay() != 0) {
            step = step.add(u.scalar(RATE).mul(later).mul(group.weightDecay()).mul(p));
        }
        u.setParameter(p.sub(step));
    }
}
