package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The weight and the bias of a layer as matrices [groups x outputs x inputs], the bias being the last column: s = W [a; 1].
 *
 * <ul>
 *   <li>A linear layer is one matrix; of a convolution the inputs are the entries of a patch, C/groups x KH x KW, and each
 *       group has its own matrix.
 *   <li>A norm layer has a matrix [1 x 2] for each channel: its scale and its shift.
 *   <li>An embedding [V x D] is the transposed matrix [D x V], the inputs being one-hot. A table that also makes the logits
 *       is one, too.
 * </ul>
 *
 * @param captures the applications of the layer in one recording
 */
public record LayerMatrix(
        Kind kind,
        Parameter weight,
        Optional<Parameter> bias,
        long groups,
        long outputs,
        long inputs,
        List<Capture> captures) {
    /** Which captures the statistics come from. */
    public enum Kind {
        LINEAR,
        CONVOLUTION,
        NORM,
        EMBEDDING
    }

    public LayerMatrix {
        captures = List.copyOf(captures);
    }

    /** The layers of a recording, one for each captured weight that is trained, in the order of recording. */
    public static List<LayerMatrix> of(Gradients gradients) {
        Map<Parameter, List<Capture>> byWeight = new LinkedHashMap<>();
        for (Capture capture : gradients.captures()) {
            if (capture.weight().trainable()) {
                byWeight.computeIfAbsent(capture.weight(), _ -> new ArrayList<>())
                        .add(capture);
            }
        }
        return byWeight.values().stream().map(LayerMatrix::of).toList();
    }

    private static LayerMatrix of(List<Capture> captures) {
        Capture first = captures.stream()
                .filter(capture -> capture instanceof Capture.Embedding)
                .findFirst()
                .orElse(captures.get(0));
        Parameter weight = first.weight();
        Optional<Parameter> bias = captures.stream()
                .flatMap(capture -> capture.bias().stream())
                .filter(Parameter::trainable)
                .findFirst();
        Shape w = weight.shape();
        long constant = bias.isPresent() ? 1 : 0;
        return switch (first) {
            case Capture.Linear _ ->
                new LayerMatrix(Kind.LINEAR, weight, bias, 1, w.dim(0), w.dim(1) + constant, captures);
            case Capture.Conv2d c ->
                new LayerMatrix(
                        Kind.CONVOLUTION,
                        weight,
                        bias,
                        c.window().groups(),
                        w.dim(0) / c.window().groups(),
                        w.elements() / w.dim(0) + constant,
                        captures);
            case Capture.BatchNorm2d _, Capture.LayerNorm _ ->
                new LayerMatrix(Kind.NORM, weight, bias, w.elements(), 1, 1 + constant, captures);
            case Capture.Embedding _ ->
                new LayerMatrix(Kind.EMBEDDING, weight, Optional.empty(), 1, w.dim(1), w.dim(0), captures);
        };
    }

    /** The weight's path, by which the layer is named in messages and state. */
    public String path() {
        return weight.path();
    }

    /** The parameters, one or two. */
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>(List.of(weight));
        bias.ifPresent(all::add);
        return all;
    }

    /** Whether the last input is the constant 1 of a bias. */
    public boolean homogeneous() {
        return bias.isPresent();
    }

    /** The matrices [groups x outputs x inputs] whose elements, a value of each parameter's shape, are given. */
    public Value matrix(Function<Parameter, Value> of) {
        Value w = of.apply(weight);
        long columns = inputs - (homogeneous() ? 1 : 0);
        Value body = kind == Kind.EMBEDDING ? w.t().reshape(1, outputs, inputs) : w.reshape(groups, outputs, columns);
        return bias.map(b -> w.graph().concat(2, List.of(body, of.apply(b).reshape(groups, outputs, 1))))
                .orElse(body);
    }

    /** The reverse of {@link #matrix}: the parts of matrices [groups x outputs x inputs] by parameter. */
    public Map<Parameter, Value> parts(Value matrices) {
        Map<Parameter, Value> result = new LinkedHashMap<>();
        if (kind == Kind.EMBEDDING) {
            result.put(weight, matrices.reshape(outputs, inputs).t());
        } else if (bias.isEmpty()) {
            result.put(weight, matrices.reshape(weight.shape()));
        } else {
            result.put(weight, matrices.slice(2, 0, inputs - 1).reshape(weight.shape()));
            result.put(
                    bias.get(),
                    matrices.slice(2, inputs - 1, inputs).reshape(bias.get().shape()));
        }
        return result;
    }

    /** The layer with its captures of one kind only: those of lookups, say, of a table that also makes the logits. */
    public LayerMatrix only(Class<? extends Capture> type) {
        return new LayerMatrix(
                kind,
                weight,
                bias,
                groups,
                outputs,
                inputs,
                captures.stream().filter(type::isInstance).toList());
    }

    /** The graph in which the captures are. */
    public Graph graph() {
        return captures.get(0).s().graph();
    }
}
