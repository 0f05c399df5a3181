package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * The Fisher diagonal of one parameter as a product of vectors that broadcast over {@code view}, a shape of as many elements
 * as the parameter.
 */
public final class ParameterCurvature {
    /** A part of a factor's diagonal under the shape in which it broadcasts over the view. */
    record Vector(FactorDiagonal diagonal, int part, Shape shape) {
        Value value(Graph graph) {
            return diagonal.value(graph, part).reshape(shape);
        }
    }

    private final Parameter parameter;
    private final Shape view;
    private final List<Vector> vectors;
    private final Tensor scale;
    private final Tensor damping;

    ParameterCurvature(Parameter parameter, Shape view, List<Vector> vectors, Tensor scale, Tensor damping) {
        this.parameter = parameter;
        this.view = view;
        this.vectors = List.copyOf(vectors);
        this.scale = scale;
        this.damping = damping;
    }

    public Parameter parameter() {
        return parameter;
    }

    public Shape view() {
        return view;
    }

    /** The vectors whose product is the diagonal. */
    public List<Value> factors(Graph graph) {
        return vectors.stream().map(vector -> vector.value(graph)).toList();
    }

    /** Mode relative: what the diagonal is multiplied by before the damping is added. */
    public Value scale(Graph graph) {
        return graph.read(scale);
    }

    /** Mode relative: the damping in units of the scaled diagonal. */
    public Value damping(Graph graph) {
        return graph.read(damping);
    }
}
