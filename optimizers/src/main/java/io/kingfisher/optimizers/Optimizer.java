package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.Health;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Records the update of parameters from their gradients. An optimizer owns its state and a control block on the device; what
 * changes from step to step goes through them, so that a recorded step is replayed without being recorded again.
 *
 * <pre>{@code
 * optimizer.record(gradients, Cadence.STEP);   // while recording
 * Cadence cadence = optimizer.advance();       // before each replay: which recording to replay comes back
 * optimizer.finish();                          // after it
 * }</pre>
 */
public abstract class Optimizer implements AutoCloseable {
    /** What a step does besides updating the parameters. */
    public enum Cadence {
        /** Nothing. */
        STEP,
        /** It also takes the curvature anew from this step's statistics. */
        REFRESH,
        /**
         * It takes statistics and keeps the gradients; decompositions and the update are made by {@link Optimizer#finish},
         * where the host can look at how a decomposition went.
         */
        SOLVE
    }

    /**
     * With loss scaling the first of a run's steps are often skipped, while the scale falls to where gradients are finite. As
     * the host does not learn which, each of them refreshes: no step is made with a curvature that was never taken.
     */
    private static final int SETTLING = 16;

    private final List<ParameterGroup> groups;
    private final Clipping clipping;
    private final OptimizerState state;
    private final ControlBlock control;
    private final HeldGradients held;
    private long step;
    private boolean scaled;
    private Cadence current = Cadence.STEP;

    protected Optimizer(Device device, List<ParameterGroup> groups, Clipping clipping) {
        Set<Parameter> seen = new HashSet<>();
        for (ParameterGroup group : groups) {
            for (Parameter parameter : group.parameters()) {
                if (!seen.add(parameter)) {
                    throw new KingfisherException("The parameter " + parameter.path()
                            + " is in two groups; give every parameter to exactly one.");
                }
            }
        }
        this.groups = List.copyOf(groups);
        this.clipping = clipping;
        this.state = new OptimizerState(device);
        this.control = new ControlBlock(device, groups);
        this.held = new HeldGradients(device);
    }

    /** Records one step: the updates of all parameters, and the refresh of the curvature where asked. */
    public final void record(Gradients gradients, Cadence cadence) {
        Graph graph = gradients.loss().graph();
        check(gradients);
        scaled |= gradients.applied().isPresent();
        prepare(gradients, cadence);
        if (cadence == Cadence.SOLVE) {
            gradients.applied().ifPresent(applied -> keepWhereSkipped(graph, applied.finite()));
            held.hold(gradients, trainable());
        } else {
            apply(graph, gradients::of, gradients.applied());
        }
    }

    /** Records the updates from gradients that are at hand or were kept. */
    private void apply(Graph graph, Function<Parameter, Value> gradients, Optional<Gradients.Applied> applied) {
        Hyperparameters hyper = new Hyperparameters(graph, control, applied);
        Map<Parameter, Value> byParameter = clipped(graph, gradients);
        direct(new Directions(graph, byParameter, groups, hyper));
        applied.ifPresent(a -> keepWhereSkipped(graph, a.finite()));
        for (int k = 0; k < groups.size(); k++) {
            for (Parameter parameter : trainable(groups.get(k))) {
                try (Graph.Scope _ = graph.scope("optimizer." + parameter.path())) {
                    Value gradient = byParameter.get(parameter);
                    Update update = new Update(graph, parameter, gradient, state, hyper, k, view(parameter));
                    update(update, groups.get(k));
                    update.record(applied.map(Gradients.Applied::finite));
                }
            }
        }
    }

    /** The gradients of all parameters as updates see them, clipped: what statistics of gradients in {@link #prepare} are of. */
    protected final Map<Parameter, Value> clipped(Graph graph, Function<Parameter, Value> gradients) {
        List<Parameter> parameters = trainable();
        List<Value> clipped =
                clipping.apply(graph, parameters.stream().map(gradients).toList());
        Map<Parameter, Value> byParameter = new LinkedHashMap<>();
        for (int i = 0; i < clipped.size(); i++) {
            byParameter.put(parameters.get(i), clipped.get(i));
        }
        return byParameter;
    }

    /** What has been assigned to the state so far stays as it was where the step does not count. */
    private void keepWhereSkipped(Graph graph, Value finite) {
        Expr chosen = Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2));
        for (Tensor tensor : state.tensors().values()) {
            Value next = graph.assignments().get(tensor);
            if (next != null) {
                graph.assign(tensor, graph.map(chosen, next.dtype(), List.of(finite, next, graph.before(tensor))));
            }
        }
    }

    private List<Parameter> trainable() {
        return groups.stream().flatMap(group -> trainable(group).stream()).toList();
    }

    private static List<Parameter> trainable(ParameterGroup group) {
        return group.parameters().stream().filter(Parameter::trainable).toList();
    }

    /** Every parameter that the loss trains must be in a group, and the reverse: none is left out silently. */
    private void check(Gradients gradients) {
        Set<Parameter> owned = new HashSet<>();
        groups.forEach(group -> owned.addAll(group.parameters()));
        Set<Parameter> trained = new HashSet<>(gradients.parameters());
        for (ParameterGroup group : groups) {
            for (Parameter parameter : trainable(group)) {
                if (!trained.contains(parameter)) {
                    throw new KingfisherException("The parameter " + parameter.path()
                            + " is in a group of the optimizer but takes no part in the loss; freeze it or leave it out"
                            + " of the group.");
                }
            }
        }
        for (Parameter parameter : gradients.parameters()) {
            if (!owned.contains(parameter)) {
                throw new KingfisherException("The parameter " + parameter.path()
                        + " takes part in the loss but is in no group of the optimizer; add it to a group or freeze"
                        + " it.");
            }
        }
    }

    /** What is recorded once before the updates. */
    protected void prepare(Gradients gradients, Cadence cadence) {}

    /** What is recorded before the updates from all gradients together: directions that a rule reads instead of them. */
    protected void direct(Directions directions) {}

    /** The shape, of as many elements, under which the rule sees a parameter and its state. */
    protected Shape view(Parameter parameter) {
        return parameter.shape();
    }

    /** Sets what the parameter and its states become. */
    protected abstract void update(Update update, ParameterGroup group);

    /** The steps between refreshes of the curvature; 0 where there is none. */
    protected long refreshInterval() {
        return 0;
    }

    /** The steps between decompositions of the curvature, each of which is a refresh as well; 0 where there is none. */
    protected long solveInterval() {
        return 0;
    }

    /** Makes the decompositions, after the statistics of a step and before its update. */
    protected void solve() {}

    /** Goes on to the next step before its replay, and says which of the {@link #cadences} to replay. */
    public final Cadence advance() {
        control.step(++step);
        current = due(solveInterval()) ? Cadence.SOLVE : due(refreshInterval()) ? Cadence.REFRESH : Cadence.STEP;
        return current;
    }

    private boolean due(long interval) {
        return interval > 0 && ((step - 1) % interval == 0 || (scaled && step <= SETTLING));
    }

    /**
     * The steps of a period, after which cadences repeat, that have a cadence. The settling of loss scaling aside, all of them
     * together are the period.
     */
    public final long perPeriod(Cadence cadence) {
        long statistics = Math.max(1, refreshInterval()), decompositions = Math.max(1, solveInterval());
        long period = statistics / greatest(statistics, decompositions) * decompositions;
        long count = 0;
        for (long k = 0; k < period; k++) {
            count += scheduled(k) == cadence ? 1 : 0;
        }
        return count;
    }

    private static long greatest(long a, long b) {
        return b == 0 ? a : greatest(b, a % b);
    }

    /** The cadence of the step after k others. */
    private Cadence scheduled(long k) {
        return solveInterval() > 0 && k % solveInterval() == 0
                ? Cadence.SOLVE
                : refreshInterval() > 0 && k % refreshInterval() == 0 ? Cadence.REFRESH : Cadence.STEP;
    }

    /** Completes the step after its replay; to be called after every one. */
    public final void finish() {
        if (current == Cadence.SOLVE) {
            solve();
            held.replay(this::apply);
            current = Cadence.STEP;
        }
    }

    /** The recordings that {@link #advance} may ask for. */
    public final Set<Cadence> cadences() {
        if (solveInterval() == 1) {
            return EnumSet.of(Cadence.SOLVE);
        }
        Set<Cadence> all = EnumSet.of(Cadence.STEP);
        if (refreshInterval() > 0) {
            all.add(Cadence.REFRESH);
        }
        if (solveInterval() > 0) {
            all.add(Cadence.SOLVE);
        }
        return all;
    }

    /** The steps made so far. */
    public final long step() {
        return step;
    }

    /** Continues after a number of steps, with a state that has been written back. */
    public final void resume(long steps) {
        if (steps < 0) {
            throw new KingfisherException("An optimizer resumes after at least 0 steps, not " + steps + ".");
        }
        step = steps;
    }

    public final List<ParameterGroup> groups() {
        return groups;
    }

    /** Sets a group's learning rate from the next replay on. */
    public final void learningRate(int group, double rate) {
        control.learningRate(group, rate);
    }

    /** A group's learning rate at present. */
    public final double learningRate(int group) {
        return control.learningRate(group);
    }

    /** What is saved and restored; complete once a step has been recorded. */
    public final OptimizerState state() {
        return state;
    }

    /** What a user should know at the start, a line each: parameters without a curvature rule, say. */
    public List<String> notes() {
        return List.of();
    }

    /** What went wrong since the last call and was lived with, a line each: a matrix that could not be decomposed, say. */
    public List<String> reports() {
        return List.of();
    }

    /**
     * How well conditioned the curvature of each layer is at present; empty for methods that have none to look at. It may cost
     * decompositions, so it is for the end of an epoch or of a run.
     */
    public List<Health> health() {
        return List.of();
    }

    @Override
    public void close() {
        held.close();
        state.close();
        control.close();
    }
}
