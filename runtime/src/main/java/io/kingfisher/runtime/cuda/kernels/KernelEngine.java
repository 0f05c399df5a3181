package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.SoftmaxGrad;
import io.kingfisher.runtime.layout.View;
import java.util.List;

/**
 * Plans what our own CUDA kernels compute: sources, launches and scratch memory for one device, nothing compiled and nothing
 * allocated. Operands are the inputs and then the outputs, each as a {@link View} says it lies in memory. Thread-safe.
 *
 * <p>All results are the same bits every time on one kind of device. An output may have the memory of an input of an
 * elementwise plan that has the same type and the same place for every element.
 */
public final class KernelEngine {
    private final Sources sources;
    private final Maps maps;
    private final Reductions reductions;
    private final Movements movements;
    private final Tables tables;
    private final RowKernels rows;
    private final BatchNorms norms;

    public KernelEngine(Driver.Properties device) {
        this(device, Integer.MAX_VALUE);
    }

    /** Elements are counted in 64 bits from {@code narrow} on. */
    KernelEngine(Driver.Properties device, long narrow) {
        sources = new Sources(narrow);
        maps = new Maps(sources);
        reductions = new Reductions(sources, device.multiprocessors());
        movements = new Movements(sources, maps);
        tables = new Tables(sources);
        rows = new RowKernels(sources, reductions, device.multiprocessors());
        norms = new BatchNorms(sources, maps, reductions, device.multiprocessors());
    }

    /**
     * Elementwise results (see {@link Map}) of inputs that broadcast to the shape of the outputs. Computes in F64 where any
     * view is F64, else in F32.
     */
    public record Elementwise(List<Expr> results, List<View> inputs, List<View> outputs) {
        public Elementwise {
            results = List.copyOf(results);
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
        }
    }

    /** An elementwise computation in one launch; a transposition goes through shared memory. */
    public KernelPlan map(Elementwise map) {
        KernelPlan transposed = movements.transposed(map);
        return transposed != null ? transposed : maps.one(map);
    }

    /**
     * Several elementwise computations that do not need each other's results in one launch, such as an optimizer's update of
     * every parameter. The plan's operands are those of the first, inputs and then outputs, then those of the second, ...
     */
    public KernelPlan together(List<Elementwise> all) {
        return maps.together(all);
    }

    /**
     * Reductions of elementwise expressions of the same inputs.
     *
     * @param kinds what each expression's values are reduced by
     * @param shape the shape that is reduced, to which every input broadcasts
     * @param axes the axes of the shape that vanish, ascending
     * @param outputs a view of what remains of the shape for each expression
     */
    public KernelPlan reduce(
            List<Expr> exprs,
            List<Reduce.Kind> kinds,
            Shape shape,
            List<Integer> axes,
            List<View> inputs,
            List<View> outputs) {
        return reductions.plan(exprs, kinds, shape, axes, inputs, outputs);
    }

    /**
     * Batch normalisation with what follows it in the same pass. Operands: x, scale, shift, and the residual that is added
     * where there is one; then y, mean, variance. Images as any view shows them, their axes but the channels' being at most
     * two once joined; null for others, and for images without elements.
     *
     * @param relu whether negative results become 0
     * @param residual whether an operand of x's shape is added before
     */
    public KernelPlan batchNorm(BatchNorm op, boolean relu, boolean residual, List<View> inputs, List<View> outputs) {
        return norms.forward(op.epsilon(), relu, residual, inputs, outputs);
    }

    /**
     * The gradients of {@link #batchNorm}. Operands: x, scale, mean, variance, dy, and y after a ReLU; then dx, dscale,
     * dshift, and the residual's gradient where there is one.
     */
    public KernelPlan batchNormGrad(
            BatchNormGrad op, boolean relu, boolean residual, List<View> inputs, List<View> outputs) {
        return norms.backward(op.epsilon(), relu, residual, inputs, outputs);
    }

    /** Copies what is below the diagonals of {@code batch} matrices [n x n] to above them. Operand: the matrices, changed. */
    public KernelPlan mirror(DType dtype, long n, long batch) {
        return movements.mirror(dtype, n, batch);
    }

    /** Whether {@link #plan} takes an op's operands as any view shows them; otherwise they are in row-major order. */
    public boolean takesViews(Op op) {
        return switch (op) {
            case Movement.Reshape _ -> false;
            case Map _, Reduce _, Movement _, Detach _, Pool _, BatchNorm _, BatchNormGrad _ -> true;
            default -> false;
        };
    }

    /**
     * What computes an op, the inputs' views before the outputs'. Null where we have no kernel for it, or none for these
     * views; a {@link io.kingfisher.runtime.graph.Fused} op is then to be expanded.
     */
    public KernelPlan plan(Op op, List<View> inputs, List<View> outputs) {
        return switch (op) {
            case Map m -> map(new Elementwise(m.results(), inputs, outputs));
            case Reduce(Reduce.Kind kind, List<Integer> axes) ->
                reduce(List.of(Expr.arg(0)), List.of(kind), inputs.get(0).shape(), axes, inputs, outputs);
            case Movement m -> movements.plan(m, inputs, outputs, this);
            case Detach _ -> map(new Elementwise(List.of(Expr.arg(0)), inputs, outputs));
            case Gather _ -> tables.gather(inputs, outputs.get(0));
            case ScatterAdd _ -> tables.scatterAdd(inputs, outputs.get(0));
            case Random random -> RandomNumbers.plan(sources, random);
            case Attention attention -> Attentions.forward(sources, attention, inputs.get(0), inputs.get(1));
            case AttentionGrad attention ->
                Attentions.backward(sources, attention.forward(), inputs.get(0), inputs.get(1));
            case Pool pool -> Pools.plan(sources, pool, inputs, outputs);
            case Softmax _ -> rows.softmax(inputs.get(0), false);
            case SoftmaxGrad _ -> rows.softmax(inputs.get(0), true);
            case SoftmaxCrossEntropy loss -> rows.crossEntropy(loss, inputs.get(0));
            case SoftmaxCrossEntropyGrad loss -> rows.crossEntropyGradient(loss.forward(), inputs.get(0));
            case LayerNorm norm -> rows.layerNorm(norm, inputs.get(0));
            case LayerNormGrad _ -> rows.layerNormGradient(inputs.get(0));
            case BatchNorm norm -> batchNorm(norm, false, false, inputs, outputs);
            case BatchNormGrad norm -> batchNormGrad(norm, false, false, inputs, outputs);
            default -> null;
        };
    }
}
