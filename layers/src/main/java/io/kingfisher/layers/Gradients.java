package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The gradients of one loss with respect to the trainable parameters that it reads and to every captured output. */
public final class Gradients {
    /**
     * Whether a step with loss scaling counts.
     *
     * @param finite 1 where all gradients are finite and the step is to change what it changes, else 0; an F32 scalar
     * @param skipped the steps before this one that did not count, an F64 scalar
     */
    public record Applied(Value finite, Value skipped) {}

    private final Value loss;
    private final Optional<Value> count;
    private final Map<Parameter, Value> parameters;
    private final Map<Capture, Value> captures;
    private final Optional<Applied> applied;

    Gradients(
            Value loss,
            Optional<Value> count,
            Map<Parameter, Value> parameters,
            Map<Capture, Value> captures,
            Optional<Applied> applied) {
        this.loss = loss;
        this.count = count;
        this.parameters = Collections.unmodifiableMap(parameters);
        this.captures = Collections.unmodifiableMap(captures);
        this.applied = applied;
    }

    /** The scalar that was differentiated. */
    public Value loss() {
        return loss;
    }

    /**
     * The number of terms (samples, or tokens) that the loss is the mean of, a scalar known on the device: ds times this is
     * the gradient of a single term. Empty where the loss was given as a plain value.
     */
    public Optional<Value> count() {
        return count;
    }

    /**
     * With loss scaling, whether the step counts: whoever assigns a tensor from these gradients keeps what it held where it
     * does not. Empty without.
     */
    public Optional<Applied> applied() {
        return applied;
    }

    /** The gradient of a parameter, of its shape. */
    public Value of(Parameter parameter) {
        Value gradient = parameters.get(parameter);
        if (gradient == null) {
            throw new KingfisherException(parameter.path() + " has no gradient: "
                    + (parameter.trainable() ? "the recording does not use it." : "it is frozen."));
        }
        return gradient;
    }

    /** The gradient ds of a capture's output s, of its shape. */
    public Value of(Capture capture) {
        Value gradient = captures.get(capture);
        if (gradient == null) {
            throw new KingfisherException(
                    "A capture of " + capture.layer().label() + " is not of this recording; use its own gradients.");
        }
        return gradient;
    }

    /** The parameters that have a gradient, in the order of their first use. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.keySet());
    }

    /** All captures, in the order of recording. */
    public List<Capture> captures() {
        return List.copyOf(captures.keySet());
    }

    /** The captures in which a parameter is the weight, in the order of recording; none for a parameter without a rule. */
    public List<Capture> captures(Parameter weight) {
        return captures.keySet().stream()
                .filter(capture -> capture.weight() == weight)
                .toList();
    }
}
