package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The gradients of one loss with respect to the trainable parameters that it reads and to every captured output. */
public final class Gradients {
    private final Value loss;
    private final Optional<Value> count;
    private final Map<Parameter, Value> parameters;
    private final Map<Capture, Value> captures;

    Gradients(Value loss, Optional<Value> count, Map<Parameter, Value> parameters, Map<Capture, Value> captures) {
        this.loss = loss;
        this.count = count;
        this.parameters = Collections.unmodifiableMap(parameters);
        this.captures = Collections.unmodifiableMap(captures);
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
