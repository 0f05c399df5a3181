package io.kingfisher.optimizers.sample;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.SampleJacobian;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What methods have in common whose step is a combination of samples' gradients: every step solves a small system on the
 * device, then p = p - lr (m + weight_decay p) with m = mu m + direction. Clipping bounds the direction, as there is no
 * gradient before it. Parameters of layers that leave no captures are updated with their gradient; {@link #notes} lists them.
 * A step whose system has no finite solution changes no parameter and is reported.
 *
 * <p>The gradients of all micro-batches of a step belong to one system, so that parts of a batch are the same as the whole.
 */
public abstract class SampleOptimizer extends Optimizer {
    /**
     * What becomes of the gradients.
     *
     * @param parts a value of its shape for each covered parameter
     * @param solved 1 where the system had a solution, else 0; an F32 scalar
     */
    protected record Step(Map<Parameter, Value> parts, Value solved) {}

    private final double momentum;
    private final Clipping clipping;
    private final Map<Parameter, Value> directions = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();
    private Value solved;
    private final Unsolved unsolved = new Unsolved("the system of the samples' gradients had no finite solution");

    SampleOptimizer(Device device, List<ParameterGroup> groups, double momentum, Clipping clipping) {
        super(device, groups, new Clipping.None());
        if (!(momentum >= 0 && momentum < 1)) {
            throw new KingfisherException("A momentum is at least 0 and below 1, not " + momentum + ".");
        }
        this.momentum = momentum;
        this.clipping = clipping;
    }

    /** Records the direction for the covered parameters. */
    protected abstract Step step(Gradients gradients);

    /** The rows of the gradients of single samples' losses at their own labels. */
    static SampleJacobian empirical(Gradients gradients) {
        return SampleJacobian.of(gradients, new LabelSource.Empirical().draws(gradients));
    }

    static void checked(double damping) {
        if (!(damping >= 0)) {
            throw new KingfisherException("A damping is at least 0, not " + damping + ".");
        }
    }

    @Override
    protected final void prepare(Gradients gradients, Cadence cadence) {
        Graph graph = gradients.loss().graph();
        try (Graph.Scope _ = graph.scope("optimizer.samples")) {
            Step step = step(gradients);
            directions.clear();
            directions.putAll(step.parts());
            notes.clear();
            gradients.parameters().stream()
                    .filter(p -> !directions.containsKey(p))
                    .forEach(p -> notes.add(p.path() + ": its layer leaves no captures; updated with its gradient"));
            Value finite = graph.sum(step.parts().values().stream()
                            .map(v -> v.mul(0).sum())
                            .toList())
                    .map(Expr.arg(0).equalTo(Expr.of(0)));
            solved = step.solved().mul(finite);
            unsolved.take(state(), solved);
        }
    }

    @Override
    protected final void direct(Directions all) {
        List<Parameter> parameters = all.parameters();
        List<Value> clipped = clipping.apply(
                all.graph(),
                parameters.stream()
                        .map(p -> directions.getOrDefault(p, all.gradient(p)))
                        .toList());
        for (int i = 0; i < clipped.size(); i++) {
            directions.put(parameters.get(i), clipped.get(i));
        }
    }

    @Override
    protected final void update(Update u, ParameterGroup group) {
        Expr counts = u.operand(solved), direction = u.operand(directions.get(u.target()));
        if (momentum != 0) {
            Update.Slot buffer = u.state("momentum_buffer");
            direction = buffer.value().mul(momentum).add(direction);
            u.set(buffer, Expr.select(counts, direction, buffer.value()));
        }
        Expr all = group.weightDecay() == 0
                ? direction
                : direction.add(u.parameter().mul(group.weightDecay()));
        u.setParameter(Expr.select(counts, u.parameter().sub(u.scalar(RATE).mul(all)), u.parameter()));
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public List<String> reports() {
        return unsolved.reports();
    }
}
