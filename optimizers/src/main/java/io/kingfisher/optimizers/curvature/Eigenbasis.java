package io.kingfisher.optimizers.curvature;

import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The eigenvectors of a layer's two factors, G = Ug diag(dg) Ug^T of the outputs and A = Ua diag(da) Ua^T of the inputs: the
 * basis in which A (x) G is diagonal. An embedding's A is a diagonal as it is, so its Ua is the identity and is not kept.
 */
public final class Eigenbasis {
    private final LayerMatrix layer;
    private final String outputs, inputs;
    private final Tensor outputValues, outputVectors, inputValues;
    private final Optional<Tensor> inputVectors;

    /**
     * A basis that lies in the state.
     *
     * @param outputs the name of G there, and in messages
     * @param inputs that of A
     */
    public Eigenbasis(OptimizerState state, LayerMatrix layer, String outputs, String inputs) {
        this.layer = layer;
        this.outputs = outputs;
        this.inputs = inputs;
        long groups = layer.groups(), o = layer.outputs(), i = layer.inputs();
        outputValues = state.tensor(outputs + ".values", DType.F32, Shape.of(groups, o), 0);
        outputVectors = state.tensor(outputs + ".vectors", DType.F32, Shape.of(groups, o, o), 0);
        inputValues = state.tensor(inputs + ".values", DType.F32, Shape.of(groups, i), 0);
        inputVectors = layer.kind() == LayerMatrix.Kind.EMBEDDING
                ? Optional.empty()
                : Optional.of(state.tensor(inputs + ".vectors", DType.F32, Shape.of(groups, i, i), 0));
    }

    /**
     * The decompositions of both factors.
     *
     * @param g records G [groups x outputs x outputs]
     * @param a records A [groups x inputs x inputs], of an embedding its diagonal
     */
    public List<Decompositions.Job> jobs(Function<Graph, Value> g, Function<Graph, Value> a) {
        Decompositions.Job left = new Decompositions.Eigen(outputs, g, outputValues, outputVectors);
        Decompositions.Job right = inputVectors
                .<Decompositions.Job>map(vectors -> new Decompositions.Eigen(inputs, a, inputValues, vectors))
                .orElseGet(() -> new Decompositions.Computed(
                        inputs, graph -> a.apply(graph).reshape(inputValues.shape()), inputValues));
        return List.of(right, left);
    }

    /** The eigenvectors Ug of G in columns [groups x outputs x outputs]. */
    public Value outputVectors(Graph graph) {
        return graph.read(outputVectors);
    }

    /** The eigenvectors Ua of A in columns [groups x inputs x inputs]; none where they are the identity's. */
    public Optional<Value> inputVectors(Graph graph) {
        return inputVectors.map(graph::read);
    }

    /** Ug^T D Ua of matrices [groups x outputs x inputs]. */
    public Value into(Value d) {
        Value rotated = outputVectors(d.graph()).matmul(d, true, false);
        return inputVectors(d.graph()).map(rotated::matmul).orElse(rotated);
    }

    /** Ug V Ua^T, the reverse of {@link #into}. */
    public Value outOf(Value v) {
        Value back = outputVectors(v.graph()).matmul(v);
        return inputVectors(v.graph()).map(ua -> back.matmul(ua, false, true)).orElse(back);
    }

    /** The eigenvalues dg da^T of A (x) G as matrices [groups x outputs x inputs]. */
    public Value eigenvalues(Graph graph) {
        Value dg = graph.read(outputValues).reshape(layer.groups(), layer.outputs(), 1);
        Value da = graph.read(inputValues).reshape(layer.groups(), 1, layer.inputs());
        return dg.mul(da);
    }

    /** Ug ((Ug^T D Ua) / (diagonal + damping)) Ua^T for a diagonal [groups x outputs x inputs] in this basis. */
    public Value divide(Value d, Value diagonal, Value damping) {
        Expr quotient = Expr.arg(0).div(Expr.arg(1).add(Expr.arg(2)));
        return outOf(d.graph().map(quotient, into(d), diagonal, damping));
    }
}
