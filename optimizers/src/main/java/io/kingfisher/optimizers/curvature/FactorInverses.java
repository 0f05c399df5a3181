package io.kingfisher.optimizers.curvature;

import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.Function;

/**
 * The damped inverses of a layer's two factors, (G + g I)^-1 of the outputs and (A + a I)^-1 of the inputs. An embedding's A is
 * a diagonal, and its inverse too.
 */
public final class FactorInverses {
    private final LayerMatrix layer;
    private final boolean table;
    private final String outputs, inputs;
    private final Tensor left, right;

    /**
     * Inverses that lie in the state.
     *
     * @param outputs the name of G there, and in messages
     * @param inputs that of A
     */
    public FactorInverses(OptimizerState state, LayerMatrix layer, String outputs, String inputs) {
        this.layer = layer;
        this.table = layer.kind() == LayerMatrix.Kind.EMBEDDING;
        this.outputs = outputs;
        this.inputs = inputs;
        long groups = layer.groups(), o = layer.outputs(), i = layer.inputs();
        left = state.tensor(outputs + ".inverse", DType.F32, Shape.of(groups, o, o), 0);
        right = state.tensor(inputs + ".inverse", DType.F32, table ? Shape.of(groups, i) : Shape.of(groups, i, i), 0);
    }

    /**
     * How damping is divided among two factors, pi = sqrt(mean of A's diagonal / mean of G's) [groups x 1 x 1], 1 where either
     * is zero (Martens and Grosse, 2015, section 6.3).
     */
    public static Value pi(Value meanOfA, Value meanOfG) {
        Expr one = Expr.arg(0), other = Expr.arg(1);
        Expr positive = Expr.of(0).lessThan(one).mul(Expr.of(0).lessThan(other));
        Expr ratio = one.div(Expr.select(positive, other, Expr.of(1))).sqrt();
        return meanOfA.graph().map(Expr.select(positive, ratio, Expr.of(1)), meanOfA, meanOfG);
    }

    /**
     * The inversions.
     *
     * @param g records G [groups x outputs x outputs]
     * @param addedToG records what is added to its diagonal, which broadcasts to [groups x 1 x 1]
     * @param a records A [groups x inputs x inputs], of an embedding its diagonal
     */
    public List<Decompositions.Job> jobs(
            Function<Graph, Value> g,
            Function<Graph, Value> addedToG,
            Function<Graph, Value> a,
            Function<Graph, Value> addedToA) {
        Decompositions.Job one = new Decompositions.Inverse(
                outputs, graph -> Matrices.damped(g.apply(graph), addedToG.apply(graph)), left);
        Expr reciprocal = Expr.of(1).div(Expr.arg(0).add(Expr.arg(1)));
        Decompositions.Job other = table
                ? new Decompositions.Computed(
                        inputs,
                        graph -> graph.map(
                                reciprocal,
                                a.apply(graph).reshape(right.shape()),
                                addedToA.apply(graph).reshape(1, 1)),
                        right)
                : new Decompositions.Inverse(
                        inputs, graph -> Matrices.damped(a.apply(graph), addedToA.apply(graph)), right);
        return List.of(other, one);
    }

    /** (G + g I)^-1 D (A + a I)^-1 of matrices [groups x outputs x inputs]. */
    public Value direction(Value d) {
        Value half = d.graph().read(left).matmul(d), other = d.graph().read(right);
        return table ? half.mul(other.reshape(1, 1, layer.inputs())) : half.matmul(other);
    }
}
