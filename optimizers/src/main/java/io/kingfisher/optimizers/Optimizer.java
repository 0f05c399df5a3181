package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Records the update of parameters from their gradients. An optimizer owns its state and a control block on the device; what
 * changes from step to step goes through them, so that a recorded step is replayed without being recorded again.
 *
 * <pre>{@code
 * optimizer.record(gradients, Cadence.STEP);   // while recording
 * optimizer.advance();                         // before each replay: which cadence to replay comes back
 * }</pre>
 */
public abstract class Optimizer implements AutoCloseable {
    /** What a step does besides updating the parameters. */
    public enum Cadence {
        /** Nothing. */
        STEP,
        /** It also takes the curvature anew from this step's statistics. */
        REFRESH
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
    private long step;
    private boolean scaled;

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
    }

    /** Records one step: the updates of all parameters, and the refresh of the curvature where asked. */
    public final void record(Gradients gradients, Cadence cadence) {
        Graph graph = gradients.loss().graph();
        check(gradients);
        scaled |= gradients.applied().isPresent();
        prepare(gradients, cadence);
        gradients.applied().ifPresent(applied -> keepWhereSkipped(graph, applied.finite()));
        Hyperparameters hyper = new Hyperparameters(graph, control, gradients.applied());
        List<Value> raw = new ArrayList<>();
        for (ParameterGroup group : groups) {
            trainable(group).forEach(parameter -> raw.add(gradients.of(parameter)));
        }
        List<Value> clipped = clipping.apply(graph, raw);
        int next = 0;
        for (int k = 0; k < groups.size(); k++) {
            for (Parameter parameter : trainable(groups.get(k))) {
                try (Graph.Scope _ = graph.scope("optimizer." + parameter.path())) {
                    Update update = new Update(graph, parameter, clipped.get(next++), state, hyper, k, view(parameter));
                    update(update, groups.get(k));
                    update.record(gradients.applied().map(Gradients.Applied::finite));
                }
            }
        }
    }

    /** What {@link #prepare} has assigned to the state so far stays as it was where the step does not count. */
    private void keepWhereSkipped(Graph graph, Value finite) {
        Expr chosen = Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2));
        for (Tensor tensor : state.tensors().values()) {
            Value next = graph.assignments().get(tensor);
            if (next != null) {
                graph.assign(tensor, graph.map(chosen, next.dtype(), List.of(finite, next, graph.before(tensor))));
            }
        }
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

    /** Goes on to the next step before its replay, and says which of the two recordings to replay. */
    public final Cadence advance() {
        control.step(++step);
        boolean due = (step - 1) % Math.max(refreshInterval(), 1) == 0 || (scaled && step <= SETTLING);
        return refreshInterval() > 0 && due ? Cadence.REFRESH : Cadence.STEP;
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

    /** Whether there are two recordings to make, with and without a refresh. */
    public final boolean hasRefresh() {
        return refreshInterval() > 0;
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

    @Override
    public void close() {
        state.close();
        control.close();
    }
}
