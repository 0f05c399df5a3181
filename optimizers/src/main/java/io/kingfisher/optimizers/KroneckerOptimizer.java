package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.FactorHealth;
import io.kingfisher.optimizers.curvature.Health;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What methods have in common that precondition the gradient of each layer as a matrix: statistics at intervals, decompositions
 * at longer ones, a bound on the step's length, and momentum on what comes out. A method says what it keeps for a layer, and
 * what becomes of a gradient. Parameters of layers that leave no capture are updated with their gradient itself;
 * {@link #notes} lists them.
 *
 * @param <S> what a method keeps for a layer
 */
public abstract class KroneckerOptimizer<S> extends Optimizer {
    /**
     * What is the same for all layers.
     *
     * @param statistics steps between statistics
     * @param decompositions steps between decompositions, at which statistics are taken too; 0 where there are none
     * @param clip the bound kappa on lr^2 times the inner product of directions and gradients, to which directions are
     *     shortened (Ba et al., 2017, section 5); infinite for none
     * @param momentum mu of m = mu m + direction, p = p - lr m
     */
    public record Rule(long statistics, long decompositions, double clip, double momentum) {
        public Rule {
            if (statistics < 1 || decompositions < 0 || !(clip > 0) || !(momentum >= 0 && momentum < 1)) {
                throw new KingfisherException(
                        "A preconditioner needs intervals of at least 1 step, a clip above 0 and a"
                                + " momentum from 0 to below 1, not " + statistics + ", " + decompositions + ", " + clip
                                + " and " + momentum + ".");
            }
        }
    }

    private record Layer<S>(LayerMatrix matrix, S state) {}

    private final Device device;
    private final Rule rule;
    private final LabelSource labels;
    private final Map<Parameter, Layer<S>> layers = new LinkedHashMap<>();
    private final Map<Parameter, Value> directions = new LinkedHashMap<>();
    private final Set<RunningFactor> factors = new LinkedHashSet<>();
    private final List<String> notes = new ArrayList<>();
    private Decompositions decompositions;

    protected KroneckerOptimizer(
            Device device, List<ParameterGroup> groups, Clipping clipping, Rule rule, LabelSource labels) {
        super(device, groups, clipping);
        this.device = device;
        this.rule = rule;
        this.labels = labels;
    }

    /** The average of a layer's statistic, whose estimates that are not finite are reported. */
    protected final RunningFactor factor(LayerMatrix layer, String name, Shape shape, Averaging rule) {
        RunningFactor factor = new RunningFactor(state(), layer.path() + "." + name, shape, rule);
        factors.add(factor);
        return factor;
    }

    /** Makes what is kept for a layer. */
    protected abstract S keep(LayerMatrix layer);

    /**
     * Records a layer's statistics.
     *
     * @param refresh the number of this refresh as an F32 scalar, 1 for the first
     */
    protected abstract void observe(
            LayerMatrix layer, S state, Gradients gradients, List<LabelSource.Draw> draws, Value refresh);

    /** Records what is taken in every step, before the directions: statistics of the loss's own gradients. */
    protected void follow(LayerMatrix layer, S state, Gradients gradients) {}

    /** What is decomposed at the longer interval. */
    protected List<Decompositions.Job> jobs(LayerMatrix layer, S state) {
        return List.of();
    }

    /** The direction for a layer's gradient, both [groups x outputs x inputs]. */
    protected abstract Value direction(LayerMatrix layer, S state, Value gradient);

    /** The directions for the gradients of a layer's parameters, each of its parameter's shape. */
    protected Map<Parameter, Value> directions(LayerMatrix layer, S state, Map<Parameter, Value> gradients) {
        return layer.parts(direction(layer, state, layer.matrix(gradients::get)));
    }

    /** Whether the method has a rule for a layer; the parameters of others are updated with their gradient itself. */
    protected boolean covers(LayerMatrix layer) {
        return true;
    }

    /** Whether momentum is on the gradients, before anything is made of them, and not on the directions. */
    protected boolean momentumFirst() {
        return false;
    }

    @Override
    protected final long refreshInterval() {
        return rule.statistics();
    }

    @Override
    protected final long solveInterval() {
        return rule.decompositions();
    }

    @Override
    protected final void prepare(Gradients gradients, Cadence cadence) {
        List<LayerMatrix> all = LayerMatrix.of(gradients);
        List<LayerMatrix> seen = all.stream().filter(this::covers).toList();
        notes.clear();
        for (LayerMatrix layer : seen) {
            layers.computeIfAbsent(layer.weight(), _ -> new Layer<>(layer, keep(layer)));
        }
        gradients.parameters().stream()
                .filter(p -> seen.stream().noneMatch(layer -> layer.parameters().contains(p)))
                .forEach(p -> notes.add(p.path()
                        + (all.stream().anyMatch(layer -> layer.parameters().contains(p))
                                ? ": the method has no rule for its layer; updated with its gradient"
                                : ": its layer leaves no statistics; updated with its gradient")));
        Graph graph = gradients.loss().graph();
        for (LayerMatrix layer : seen) {
            try (Graph.Scope _ = graph.curvature(layer.path())) {
                follow(layer, layers.get(layer.weight()).state(), gradients);
            }
        }
        if (cadence == Cadence.STEP) {
            return;
        }
        Tensor refreshes = state().tensor("refreshes", DType.F32, Shape.SCALAR, 0);
        Value refresh = graph.read(refreshes).add(1);
        graph.assign(refreshes, refresh);
        List<LabelSource.Draw> draws = labels.draws(gradients);
        for (LayerMatrix layer : seen) {
            try (Graph.Scope _ = graph.curvature(layer.path())) {
                observe(layer, layers.get(layer.weight()).state(), gradients, draws, refresh);
            }
        }
    }

    @Override
    protected final void solve() {
        if (decompositions == null) {
            decompositions = new Decompositions(
                    device,
                    layers.values().stream()
                            .flatMap(layer -> jobs(layer.matrix(), layer.state()).stream())
                            .toList());
        }
        decompositions.run();
    }

    @Override
    protected final void direct(Directions all) {
        directions.clear();
        List<Value> products = new ArrayList<>();
        for (Layer<S> layer : layers.values()) {
            LayerMatrix matrix = layer.matrix();
            try (Graph.Scope _ = all.graph().curvature(matrix.path())) {
                Map<Parameter, Value> gradients = new LinkedHashMap<>();
                matrix.parameters()
                        .forEach(p -> gradients.put(p, momentumFirst() ? velocity(all, p) : decayed(all, p)));
                Map<Parameter, Value> found = directions(matrix, layer.state(), gradients);
                Value rate = all.scalar(matrix.weight(), RATE);
                found.forEach((p, direction) ->
                        products.add(Matrices.dot(direction, gradients.get(p)).mul(rate.square())));
                directions.putAll(found);
            }
        }
        if (!products.isEmpty() && Double.isFinite(rule.clip())) {
            Expr bound = Expr.of(rule.clip())
                    .div(Expr.arg(0).max(Expr.of(1e-30)))
                    .sqrt()
                    .min(Expr.of(1));
            Value factor = all.graph().sum(products).map(bound);
            directions.replaceAll((_, direction) -> direction.mul(factor));
        }
    }

    /** The gradient of the loss and of the weight decay. */
    private static Value decayed(Directions all, Parameter parameter) {
        double decay = all.group(parameter).weightDecay();
        Value gradient = all.gradient(parameter);
        return decay == 0
                ? gradient
                : gradient.add(all.graph().read(parameter.tensor()).mul(decay));
    }

    /** The sum of gradients that the last ones count more in, with this step's. */
    private Value velocity(Directions all, Parameter parameter) {
        Graph graph = all.graph();
        Tensor buffer = state().tensor(parameter.path() + ".momentum_buffer", DType.F32, parameter.shape(), 0);
        Value next = graph.read(buffer).mul(rule.momentum()).add(decayed(all, parameter));
        graph.assign(buffer, next);
        return next;
    }

    @Override
    protected final void update(Update u, ParameterGroup group) {
        Value preconditioned = directions.get(u.target());
        Expr direction = preconditioned == null
                ? u.gradient().add(u.parameter().mul(group.weightDecay()))
                : u.operand(preconditioned);
        if (rule.momentum() != 0 && !(momentumFirst() && preconditioned != null)) {
            Update.Slot buffer = u.state("momentum_buffer");
            direction = buffer.value().mul(rule.momentum()).add(direction);
            u.set(buffer, direction);
        }
        u.setParameter(u.parameter().sub(u.scalar(RATE).mul(direction)));
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public List<String> reports() {
        List<String> all = new ArrayList<>(decompositions == null ? List.of() : decompositions.reports());
        factors.forEach(factor -> factor.report().ifPresent(all::add));
        return all;
    }

    /**
     * What the method adds to the curvature of a layer where that is the product of its factors, for {@link #health}; 0 where
     * it is something else, of which nothing is told.
     */
    protected double damping() {
        return 0;
    }

    @Override
    public List<Health> health() {
        return factors.isEmpty() || damping() == 0 ? List.of() : FactorHealth.of(device, factors, damping());
    }

    @Override
    public void close() {
        if (decompositions != null) {
            decompositions.close();
        }
        super.close();
    }
}
