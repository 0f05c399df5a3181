package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.Function;

/**
 * The rule for norm layers: the Fisher block of each channel's scale and shift is small enough to be kept and inverted whole,
 * (F + damping I)^-1 (Osawa et al., 2020, section 4.2).
 *
 * @param block the average of F [channels x inputs x inputs]
 * @param inverse the inverse of the same shape
 */
public record NormBlocks(RunningFactor block, Tensor inverse) {
    /** The shape of a norm layer's blocks. */
    public static Shape shape(LayerMatrix layer) {
        return Shape.of(layer.groups(), layer.inputs(), layer.inputs());
    }

    /** Blocks whose inverse lies in the state beside their average. */
    public static NormBlocks of(OptimizerState state, RunningFactor block) {
        return new NormBlocks(block, state.tensor(block.name() + ".inverse", DType.F32, block.shape(), 0));
    }

    /** Records the statistics of a step. */
    public void observe(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        block.take(Moments.norm(layer, gradients, draws), refresh);
    }

    /** The inversion. */
    public Decompositions.Job job(double damping) {
        return job(graph -> graph.scalar(damping));
    }

    /** The inversion with a damping that is recorded, a scalar. */
    public Decompositions.Job job(Function<Graph, Value> damping) {
        return new Decompositions.Inverse(
                block.name(), graph -> Matrices.damped(block.read(graph), damping.apply(graph)), inverse);
    }

    /** The direction for gradients [channels x 1 x inputs]. */
    public Value direction(Value d) {
        return d.matmul(d.graph().read(inverse));
    }
}
