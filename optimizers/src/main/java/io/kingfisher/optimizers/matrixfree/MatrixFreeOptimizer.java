package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * What methods have in common that look at the loss of a batch again before they step. The training step leaves the loss, its
 * gradient as one vector and its inputs; then the method finds a step in a loop on the host over programs of its own, and p = p +
 * lr step. Weight decay is part of the loss, its gradient and its curvature. A step that cannot be found is reported and the
 * parameters stay.
 */
abstract class MatrixFreeOptimizer extends Optimizer {
    private final Device device;
    private final ProgramCache programs;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<String> reports = new ArrayList<>();
    private Layout layout;
    private BatchLoss batch;
    private Tensor loss, gradient, step, scale;

    MatrixFreeOptimizer(Device device, List<ParameterGroup> groups, Clipping clipping) {
        if (!(clipping instanceof Clipping.None)) {
            throw new KingfisherException(
                    "A method that solves for its step takes gradients as they are; leave out clip.");
        }
        super(device, groups, clipping);
        this.device = device;
        this.programs = new ProgramCache(device);
    }

    /** Makes vectors and state once the number of parameters is known. */
    abstract void allocate(long size);

    /** Records what a method takes from the training step besides loss and gradient. */
    void watch(Gradients gradients) {}

    /** Leaves a step in {@link #direction}, and what the next step needs in the state. */
    abstract void find();

    @Override
    protected final long solveInterval() {
        return 1;
    }

    @Override
    protected final void prepare(Gradients gradients, Cadence cadence) {
        if (gradients.applied().isPresent()) {
            throw new KingfisherException(
                    "A method that looks at the loss again has no use for a scaled one; train with"
                            + " precision fp32, tf32 or bf16 rather than fp16.");
        }
        if (layout == null) {
            batch = new BatchLoss(device, groups());
            layout = batch.layout();
            loss = scalar(DType.F32);
            scale = scalar(DType.F64);
            gradient = vector();
            step = vector();
            allocate(layout.size());
        }
        watch(gradients);
        Graph graph = gradients.loss().graph();
        batch.hold(gradients);
        Value g = layout.join(graph, p -> {
            double decay = layout.decay(p);
            Value plain = gradients.of(p);
            return decay == 0 ? plain : plain.add(graph.read(p.tensor()).mul(decay));
        });
        graph.assign(gradient, g);
        List<Value> parameters =
                layout.parameters().stream().map(p -> graph.read(p.tensor())).toList();
        graph.assign(
                loss, BatchLoss.withDecay(layout, gradients.loss(), parameters).reshape(Shape.SCALAR));
    }

    @Override
    protected final void solve() {
        if (!Double.isFinite(loss())) {
            // Whoever trains learns of it from the loss.
            step.fill(0);
            return;
        }
        find();
        if (!Double.isFinite(item(norms(), "step"))) {
            step.fill(0);
            report("the step was not finite and was left out");
        }
    }

    private Program norms() {
        return programs.run("norms", graph -> {
            Value d = graph.read(step), g = graph.read(gradient);
            graph.output("step", dot(d, d));
            graph.output("slope", dot(d, g));
        });
    }

    @Override
    protected final void update(Update u, ParameterGroup group) {
        Value own = layout.part(u.graph().read(step), u.target());
        u.setParameter(u.parameter().add(u.scalar(RATE).mul(u.operand(own))));
    }

    final Device device() {
        return device;
    }

    final ProgramCache programs() {
        return programs;
    }

    final BatchLoss batch() {
        return batch;
    }

    /** A vector that is no state. */
    final Tensor vector() {
        return own(device.allocate(DType.F32, Shape.of(layout.size())));
    }

    /** A scalar that is no state. */
    final Tensor scalar(DType dtype) {
        return own(device.allocate(dtype, Shape.SCALAR));
    }

    private Tensor own(Tensor tensor) {
        tensors.add(tensor);
        return tensor;
    }

    /** The loss before the step. */
    final double loss() {
        return loss.item();
    }

    /** Its gradient. */
    final Tensor gradient() {
        return gradient;
    }

    /** The step to be made, and to be tried. */
    final Tensor direction() {
        return step;
    }

    /** The gradient times the step. */
    final double slope() {
        return item(norms(), "slope");
    }

    /** The loss at the parameters moved by alpha times the step. */
    final double lossAt(double alpha) {
        scale.set(0, alpha);
        return item(
                programs.run("loss", graph -> graph.output("loss", moved(graph).loss())), "loss");
    }

    /** The loss with a step of alpha, to be differentiated. */
    final BatchLoss.At moved(Graph graph) {
        return batch.moved(graph.read(scale), graph.read(step));
    }

    /** Sets alpha of {@link #moved}. */
    final void scale(double alpha) {
        scale.set(0, alpha);
    }

    /** Multiplies the step. */
    final void shorten(double alpha) {
        if (alpha == 0) {
            step.fill(0);
        } else if (alpha != 1) {
            scale(alpha);
            programs.run("shorten", graph -> graph.assign(step, Vectors.times(graph.read(scale), graph.read(step))));
        }
    }

    /** Copies a vector. */
    final void copy(Tensor from, Tensor to) {
        programs.run(List.of(from, to), graph -> graph.assign(to, graph.read(from)));
    }

    /** Writes a function of other vectors to one. */
    final void set(String key, Tensor to, Function<Graph, Value> value) {
        programs.run(key, graph -> graph.assign(to, value.apply(graph)));
    }

    final void report(String what) {
        reports.add("step " + stepCount() + ": " + what);
    }

    private long stepCount() {
        return step();
    }

    @Override
    public List<String> reports() {
        List<String> all = List.copyOf(reports);
        reports.clear();
        return all;
    }

    @Override
    public void close() {
        programs.close();
        if (batch != null) {
            batch.close();
        }
        tensors.forEach(Tensor::close);
        super.close();
    }
}
