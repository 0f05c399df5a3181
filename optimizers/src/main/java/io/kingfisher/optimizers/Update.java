package io.kingfisher.optimizers;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The update of one parameter as one elementwise pass: expressions over the parameter, its gradient, its state and whatever
 * else broadcasts to its shape, assigned all at once. Updates of one rule differ only in their tensors, so that a device can
 * run all of them in one launch.
 */
public final class Update {
    private final Graph graph;
    private final Parameter parameter;
    private final OptimizerState state;
    private final Hyperparameters hyper;
    private final int group;
    private final Shape view;
    private final List<Value> operands = new ArrayList<>();
    private final Map<Tensor, Expr> results = new LinkedHashMap<>();

    Update(
            Graph graph,
            Parameter parameter,
            Value gradient,
            OptimizerState state,
            Hyperparameters hyper,
            int group,
            Shape view) {
        this.graph = graph;
        this.parameter = parameter;
        this.state = state;
        this.hyper = hyper;
        this.group = group;
        this.view = view;
        operand(graph.read(parameter.tensor()).reshape(view));
        operand(gradient.reshape(view));
    }

    /** The graph in which the step is recorded. */
    public Graph graph() {
        return graph;
    }

    /** The parameter to update. */
    public Parameter target() {
        return parameter;
    }

    /** The parameter before the update. */
    public Expr parameter() {
        return Expr.arg(0);
    }

    /** The gradient of the loss. */
    public Expr gradient() {
        return Expr.arg(1);
    }

    /** A state of the parameter's shape that starts as zeros and is saved under {@code optimizer.<path>.<name>}. */
    public Slot state(String name) {
        Tensor tensor = state.tensor(parameter.path() + "." + name, DType.F32, parameter.shape(), 0);
        return new Slot(tensor, operand(graph.read(tensor).reshape(view)));
    }

    /** A scalar of the step: an expression of {@link Hyperparameters#RATE} and {@link Hyperparameters#STEP}. */
    public Expr scalar(Expr expr) {
        return operand(hyper.value(group, expr));
    }

    /** Anything else that broadcasts to the shape under which the rule sees the parameter, as a factor of its curvature. */
    public Expr operand(Value value) {
        int known = operands.indexOf(value);
        if (known < 0) {
            known = operands.size();
            operands.add(value);
        }
        return Expr.arg(known);
    }

    /** Lets the parameter become this. */
    public void setParameter(Expr next) {
        results.put(parameter.tensor(), next);
    }

    /** Lets a state become this. */
    public void set(Slot slot, Expr next) {
        results.put(slot.tensor(), next);
    }

    /** Records the pass; where {@code finite} is given and 0, everything stays as it is. */
    void record(Optional<Value> finite) {
        if (!results.containsKey(parameter.tensor())) {
            throw new KingfisherException("The update of " + parameter.path() + " leaves the parameter as it is.");
        }
        List<Tensor> targets = List.copyOf(results.keySet());
        List<Expr> exprs = new ArrayList<>(results.values());
        finite.ifPresent(flag -> {
            Expr counts = operand(flag);
            for (int i = 0; i < exprs.size(); i++) {
                Expr before = operand(graph.before(targets.get(i)).reshape(view));
                exprs.set(i, Expr.select(counts, exprs.get(i), before));
            }
        });
        List<Value> values =
                graph.map(exprs, targets.stream().map(Tensor::dtype).toList(), operands);
        for (int i = 0; i < targets.size(); i++) {
            graph.assignElements(targets.get(i), values.get(i));
        }
    }

    /** A state tensor and its value before the update. */
    public record Slot(Tensor tensor, Expr value) {}
}
