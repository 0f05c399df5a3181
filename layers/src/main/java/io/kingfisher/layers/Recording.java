package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One recording of a model's forward pass (several micro-batches, if need be) and its gradients in a graph. It sees every
 * parameter as it is at its first use, whatever is assigned to it afterwards. Not thread-safe.
 */
public final class Recording {
    /** What is recorded. */
    public enum Mode {
        /** Dropout drops, batch norm uses the batch's statistics and updates the running ones, layers capture. */
        TRAIN,
        /** As {@link #TRAIN}, but no running statistic is touched and nothing captured: line searches, recomputation. */
        PROBE,
        /** No dropout, running statistics used and not touched, nothing captured. */
        EVAL
    }

    private final Graph graph;
    private final Mode mode;
    private final Optional<Tensor> randomState;
    private final Map<Parameter, Value> parameters = new LinkedHashMap<>();
    private final List<Capture> captures = new ArrayList<>();
    private final Map<Buffer, Value> assigned = new LinkedHashMap<>();
    private Precision precision = Precision.FP32;
    private Optional<LossScale> lossScale = Optional.empty();
    private int streams;

    private Recording(Graph graph, Mode mode, Optional<Tensor> randomState) {
        this.graph = graph;
        this.mode = mode;
        this.randomState = randomState;
    }

    /**
     * A recording for training.
     *
     * @param randomState I32[4], the halves of the seed and of the step, least significant first, which the host writes for
     *     each step; equal states draw equal numbers
     */
    public static Recording train(Graph graph, Tensor randomState) {
        return of(graph, Mode.TRAIN, randomState);
    }

    /** A recording for training models without random layers. */
    public static Recording train(Graph graph) {
        return new Recording(graph, Mode.TRAIN, Optional.empty());
    }

    public static Recording eval(Graph graph) {
        return new Recording(graph, Mode.EVAL, Optional.empty());
    }

    public static Recording of(Graph graph, Mode mode, Tensor randomState) {
        if (randomState.dtype() != DType.I32 || !randomState.shape().equals(Shape.of(4))) {
            throw new KingfisherException("The random state of a recording is an I32[4], not " + randomState + ".");
        }
        return new Recording(graph, mode, Optional.of(randomState));
    }

    /**
     * Sets in what type products are made, before anything is recorded.
     *
     * @return this recording
     */
    public Recording precision(Precision value) {
        if (!parameters.isEmpty()) {
            throw new KingfisherException("The precision of a recording is set before any layer is applied.");
        }
        precision = value;
        return this;
    }

    /**
     * Lets {@link #gradients} scale the loss and skip steps whose gradients are not finite.
     *
     * @return this recording
     */
    public Recording lossScale(LossScale scale) {
        lossScale = Optional.of(scale);
        return this;
    }

    /** A factor of a product: in the type of the {@link Precision}, where that is not F32. */
    public Value narrow(Value x) {
        return x.dtype() == DType.F32 ? precision.products().map(x::cast).orElse(x) : x;
    }

    /** A product as F32, where the {@link Precision} made it in a narrower type. */
    public Value wide(Value x) {
        return precision.products().filter(half -> x.dtype() == half).isPresent() ? x.cast(DType.F32) : x;
    }

    public Graph graph() {
        return graph;
    }

    public Mode mode() {
        return mode;
    }

    /** Whether dropout drops and normalisation uses the batch's own statistics. */
    public boolean training() {
        return mode != Mode.EVAL;
    }

    /** Whether running statistics change and layers capture. */
    public boolean observing() {
        return mode == Mode.TRAIN;
    }

    /** A parameter, the same value however often it is asked for. */
    public Value value(Parameter parameter) {
        return parameters.computeIfAbsent(parameter, p -> graph.read(p.tensor()));
    }

    /** A buffer, with what this recording has assigned to it. */
    public Value value(Buffer buffer) {
        return graph.read(buffer.tensor());
    }

    /** Lets the replay end with the buffer holding a value, where this recording observes; else does nothing. */
    public void assign(Buffer buffer, Value value) {
        if (observing()) {
            graph.assign(buffer.tensor(), value);
            assigned.put(buffer, value);
        }
    }

    /** Random numbers that no other call in this recording draws. */
    public Value random(Random.Distribution distribution, Shape shape) {
        Tensor state = randomState.orElseThrow(() -> new KingfisherException(
                "The model draws random numbers but the recording has no random state; record it with"
                        + " Recording.train(graph, randomState)."));
        return graph.random(distribution, graph.read(state), streams++, shape);
    }

    /** Whether a layer with these parameters should capture: somebody trains them and this recording observes. */
    public boolean captures(Parameter weight, Optional<Parameter> bias) {
        return observing()
                && (weight.trainable() || bias.map(Parameter::trainable).orElse(false));
    }

    /** Declares a capture; ignored where this recording does not observe or the parameters are frozen. */
    public void capture(Capture capture) {
        if (captures(capture.weight(), capture.bias())) {
            captures.add(capture);
        }
    }

    /** What has been captured so far. */
    public List<Capture> captures() {
        return Collections.unmodifiableList(captures);
    }

    /** {@link #gradients(Value)} of a mean, remembering the number of its terms. */
    public Gradients gradients(LossValue loss) {
        return gradients(loss.mean(), Optional.of(loss));
    }

    /**
     * Records one backward pass from a scalar to all trainable parameters and all captured outputs, and calls the hooks of
     * the captured layers. Losses of several micro-batches are joined into one first (see {@link LossValue#join}).
     */
    public Gradients gradients(Value loss) {
        return gradients(loss, Optional.empty());
    }

    private Gradients gradients(Value loss, Optional<LossValue> parts) {
        List<Parameter> trained =
                parameters.keySet().stream().filter(Parameter::trainable).toList();
        List<Capture> captured = List.copyOf(captures);
        List<Value> with = new ArrayList<>();
        trained.forEach(parameter -> with.add(parameters.get(parameter)));
        captured.forEach(capture -> with.add(capture.s()));
        List<Value> found = lossScale.isEmpty()
                ? Autodiff.gradients(loss, with)
                : Autodiff.gradients(loss.mul(lossScale.get().scale(graph)), with);
        Optional<Gradients.Applied> applied = Optional.empty();
        if (lossScale.isPresent()) {
            applied = Optional.of(applied(lossScale.get(), found.subList(0, trained.size())));
            Value inverse = lossScale.get().scale(graph).map(Expr.of(1).div(Expr.arg(0)));
            found = found.stream().map(gradient -> gradient.mul(inverse)).toList();
        }
        Map<Parameter, Value> byParameter = new LinkedHashMap<>();
        for (int i = 0; i < trained.size(); i++) {
            byParameter.put(trained.get(i), found.get(i));
        }
        Map<Capture, Value> byCapture = new LinkedHashMap<>();
        for (int i = 0; i < captured.size(); i++) {
            byCapture.put(captured.get(i), found.get(trained.size() + i));
        }
        Gradients gradients = new Gradients(this, loss, parts, byParameter, byCapture, applied);
        for (Capture capture : captured) {
            for (CaptureHook hook : capture.layer().hooks()) {
                hook.accept(this, capture, gradients.of(capture));
            }
        }
        return gradients;
    }

    /** The vector-Jacobian product of predictions, scaled on its way where losses are. */
    List<Value> pull(List<Value> predictions, List<Value> seeds, List<Value> with) {
        if (lossScale.isEmpty()) {
            return Autodiff.vjp(predictions, seeds, with);
        }
        Value scale = lossScale.get().scale(graph);
        List<Value> scaled = seeds.stream().map(seed -> seed.mul(scale)).toList();
        return Autodiff.vjp(predictions, scaled, with).stream()
                .map(gradient -> gradient.div(scale))
                .toList();
    }

    /** Whether the step counts; where it does not, neither the scale's own update nor running statistics see it as one. */
    private Gradients.Applied applied(LossScale scale, List<Value> scaled) {
        Value finite = LossScale.finite(graph, scaled);
        Value skipped = scale.skipped(graph);
        if (observing()) {
            scale.update(graph, finite);
            assigned.forEach((buffer, value) -> graph.assign(buffer.tensor(), either(finite, value, buffer.tensor())));
        }
        return new Gradients.Applied(finite, skipped);
    }

    private Value either(Value finite, Value value, Tensor tensor) {
        // Whole numbers do not pass F32 unharmed.
        boolean whole = !value.dtype().floating();
        Value condition = whole ? finite.cast(DType.F64) : finite;
        Expr chosen = Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2));
        return graph.map(chosen, value.dtype(), List.of(condition, value, graph.before(tensor)));
    }
}
