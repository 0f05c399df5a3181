package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The gradients of one loss with respect to the trainable parameters that it reads and to every captured output. */
public final class Gradients {
    /**
     * Whether a step with loss scaling counts.
     *
     * @param finite 1 where all gradients are finite and the step is to change what it changes, else 0; an F32 scalar
     * @param skipped the steps before this one that did not count, an F64 scalar
     */
    public record Applied(Value finite, Value skipped) {}

    private final Recording recording;
    private final Value loss;
    private final Optional<LossValue> parts;
    private final Map<Parameter, Value> parameters;
    private final Map<Capture, Value> captures;
    private final Optional<Applied> applied;

    Gradients(
            Recording recording,
            Value loss,
            Optional<LossValue> parts,
            Map<Parameter, Value> parameters,
            Map<Capture, Value> captures,
            Optional<Applied> applied) {
        this.recording = recording;
        this.loss = loss;
        this.parts = parts;
        this.parameters = Collections.unmodifiableMap(parameters);
        this.captures = Collections.unmodifiableMap(captures);
        this.applied = applied;
    }

    /** The recording that these are the gradients of. */
    public Recording recording() {
        return recording;
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
        return parts.map(LossValue::count);
    }

    /**
     * The loss as a function of the predictions, one for each micro-batch: what Fisher and Gauss-Newton matrices need beyond
     * the gradients.
     *
     * @throws KingfisherException where the loss was given as a plain value
     */
    public List<Likelihood> likelihoods() {
        List<Likelihood> known = parts.map(LossValue::likelihoods).orElse(List.of());
        if (known.isEmpty()) {
            throw new KingfisherException(
                    "The loss is a plain value, so the Fisher matrix of the model is not known; use a"
                            + " Loss, or a method that takes the empirical one.");
        }
        return known;
    }

    /** The number N of samples that count in {@link #likelihoods()}, an F32 scalar. */
    public Value samples() {
        return loss.graph().sum(likelihoods().stream().map(Likelihood::count).toList());
    }

    /**
     * Another backward pass through the recorded forward pass.
     *
     * @param seeds for each of {@link #likelihoods()} a value of its prediction's shape
     * @return for each capture J^T seed, J being the Jacobian of the predictions with respect to {@link Capture#s()}
     */
    public Map<Capture, Value> pull(List<Value> seeds) {
        return pull(seeds, captures(), Capture::s);
    }

    /**
     * As {@link #pull}, for each parameter that has a gradient: J^T seed, summed over samples, J being the Jacobian of the
     * predictions with respect to the parameter.
     */
    public Map<Parameter, Value> pullToParameters(List<Value> seeds) {
        return pull(seeds, parameters(), recording::value);
    }

    private <K> Map<K, Value> pull(List<Value> seeds, List<K> keys, Function<K, Value> value) {
        List<Value> predictions =
                likelihoods().stream().map(Likelihood::prediction).toList();
        List<Value> found =
                recording.pull(predictions, seeds, keys.stream().map(value).toList());
        Map<K, Value> result = new LinkedHashMap<>();
        for (int i = 0; i < found.size(); i++) {
            result.put(keys.get(i), found.get(i));
        }
        return result;
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
