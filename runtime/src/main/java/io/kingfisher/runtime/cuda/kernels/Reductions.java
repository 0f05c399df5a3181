package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Launches of reductions: one, or two where several blocks share the elements of an output. */
final class Reductions {
    private final Sources sources;
    private final int multiprocessors;

    Reductions(Sources sources, int multiprocessors) {
        this.sources = sources;
        this.multiprocessors = multiprocessors;
    }

    KernelPlan plan(
            List<Expr> exprs,
            List<Reduce.Kind> kinds,
            Shape shape,
            List<Integer> axes,
            List<View> inputs,
            List<View> outputs) {
        if (outputs.get(0).shape().elements() == 0) {
            return KernelPlan.of();
        }
        List<View> views = new ArrayList<>();
        inputs.forEach(input -> views.add(input.broadcast(shape)));
        outputs.forEach(output -> views.add(spread(output, shape, axes)));
        ReduceWriter writer = new ReduceWriter(sources, multiprocessors, exprs, kinds, shape, axes, views);
        long splits = writer.splits();
        if (splits == 1) {
            return KernelPlan.of(writer.launch(1, false));
        }
        DType real = writer.doubles() ? DType.F64 : DType.F32;
        List<View> partial = ReduceWriter.second(
                writer.outputs(), views.subList(inputs.size(), views.size()), inputs.size(), splits, real);
        KernelLaunch finish = last(
                kinds,
                partial,
                index -> new Argument.Scratch(index),
                index -> new Argument.Operand(index + inputs.size()));
        long bytes = splits * outputs.get(0).shape().elements() * real.bytes();
        return new KernelPlan(
                List.of(writer.launch(splits, true), finish), Collections.nCopies(exprs.size(), bytes), List.of());
    }

    /**
     * A launch that reduces partial results, which are the first axis of their views.
     *
     * @param views the partial results, then the outputs with stride 0 along that axis
     */
    KernelLaunch last(
            List<Reduce.Kind> kinds, List<View> views, IntFunction<Argument> partial, IntFunction<Argument> output) {
        int results = kinds.size();
        List<Expr> parts =
                IntStream.range(0, results).mapToObj(i -> Expr.arg(i)).toList();
        return new ReduceWriter(sources, 0, parts, kinds, views.get(0).shape(), List.of(0), views)
                .launch(1, false)
                .withOperands(index -> index < results ? partial.apply(index) : output.apply(index - results));
    }

    /** An output seen as one of the whole shape, with the same element for all places along the reduced axes. */
    private static View spread(View output, Shape shape, List<Integer> axes) {
        List<Long> strides = new ArrayList<>();
        int next = 0;
        for (int axis = 0; axis < shape.rank(); axis++) {
            strides.add(axes.contains(axis) ? 0L : output.strides().get(next++));
        }
        return new View(output.dtype(), shape, strides, output.offset());
    }
}
