package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;

/**
 * The Fisher diagonal of one parameter as a product of vectors that broadcast over {@code view}, a shape of as many elements
 * as the parameter. Vectors of mode {@code relative} together fill all of it.
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

    /** The sum of the diagonal, from the sums of its vectors along the axes that each has for itself. */
    Value sum(Graph graph) {
        List<Value> sums = new ArrayList<>();
        for (Vector vector : vectors) {
            int[] own = IntStream.range(0, vector.shape().rank())
                    .filter(axis -> vectors.stream()
                            .allMatch(other -> other == vector || other.shape().dim(axis) == 1))
                    .toArray();
            Value value = vector.value(graph);
            sums.add(own.length == 0 ? value : value.reduce(Reduce.Kind.SUM, true, own));
        }
        return graph.map(product(), sums.toArray(Value[]::new)).sum();
    }

    /** The sum of a function of the diagonal's elements and a scalar, in one pass that stores no element. */
    Value sum(Graph graph, BinaryOperator<Expr> function, Value scalar) {
        List<Value> operands = new ArrayList<>(factors(graph));
        operands.add(scalar);
        Expr result = function.apply(product(), Expr.arg(vectors.size()));
        return graph.map(result, operands.toArray(Value[]::new)).sum();
    }

    /** The product of as many arguments as there are vectors. */
    private Expr product() {
        return IntStream.range(0, vectors.size())
                .mapToObj(Expr::arg)
                .reduce(Expr::mul)
                .orElseThrow();
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
