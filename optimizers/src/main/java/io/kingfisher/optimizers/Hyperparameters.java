package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The scalars of a step as a rule writes them: expressions of the learning rate and the step's number, computed on the device
 * once a step in F64 and handed to the updates as F32 by {@link Update#scalar}.
 */
public final class Hyperparameters {
    /** The learning rate of the parameter's group. */
    public static final Expr RATE = Expr.arg(0);
    /** The number of the step, 1 for the first. */
    public static final Expr STEP = Expr.arg(1);

    private record Key(int group, Expr expr) {}

    private final Graph graph;
    private final ControlBlock control;
    private final Value step;
    private final Map<Key, Value> known = new HashMap<>();

    Hyperparameters(Graph graph, ControlBlock control, Optional<Gradients.Applied> applied) {
        this.graph = graph;
        this.control = control;
        // Steps that did not count are no steps.
        this.step = applied.map(a -> control.step(graph).sub(a.skipped())).orElseGet(() -> control.step(graph));
    }

    /** The value of an expression of {@link #RATE} and {@link #STEP} for a group. */
    Value value(int group, Expr expr) {
        return known.computeIfAbsent(
                new Key(group, expr),
                _ -> graph.map(expr, DType.F32, List.of(control.learningRate(graph, group), step)));
    }

    /** 1 - beta^t, by which an average that started from zero falls short (Kingma and Ba, 2015, section 3). */
    public static Expr correction(double beta) {
        return Expr.of(1).sub(Expr.of(beta).pow(STEP));
    }
}
