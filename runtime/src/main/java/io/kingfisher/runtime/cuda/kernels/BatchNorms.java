package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Batch normalisation of images however they lie in memory: statistics by a written kernel, all else by generated ones. */
final class BatchNorms {
    private static final int BLOCK = 256;
    private static final int UNROLL = 8;

    /** More parts would make their sum, a thread's for each channel, slow. */
    private static final int MOST_PARTS = 64;

    private final Sources sources;
    private final Maps maps;
    private final Reductions reductions;
    private final int multiprocessors;

    BatchNorms(Sources sources, Maps maps, Reductions reductions, int multiprocessors) {
        this.sources = sources;
        this.maps = maps;
        this.reductions = reductions;
        this.multiprocessors = multiprocessors;
    }

    private static Argument operand(int index) {
        return new Argument.Operand(index);
    }

    /** Inputs x, scale, shift and perhaps the residual; outputs y, mean, variance. */
    KernelPlan forward(double epsilon, boolean relu, boolean residual, List<View> inputs, List<View> outputs) {
        View x = inputs.get(0);
        int first = inputs.size();
        if (x.shape().elements() == 0) {
            return null;
        }
        Space rest = Space.of(x.shape(), places(x.shape()), List.of(x), 0);
        if (rest.rank() > 2) {
            return null;
        }
        long channels = x.shape().dim(1);
        DType real = x.dtype() == DType.F64 ? DType.F64 : DType.F32;
        List<KernelLaunch> launches = new ArrayList<>();
        int parts = moments(x, rest, launches);
        launches.add(Tables.launch(
                launches.get(0).code(),
                "channel_statistics",
                Math.toIntExact(Maps.ceil(channels, BLOCK)),
                BLOCK,
                new Argument.Scratch(0),
                new Argument.Scratch(1),
                new Argument.Scratch(2),
                operand(1),
                operand(first + 1),
                operand(first + 2),
                new Argument.Scratch(3),
                new Argument.Scratch(4),
                new Argument.Int(Math.toIntExact(channels)),
                new Argument.Int(parts),
                new Argument.Double(epsilon)));
        Expr y = Expr.arg(0).sub(Expr.arg(1)).mul(Expr.arg(2)).add(Expr.arg(3));
        y = residual ? y.add(Expr.arg(4)) : y;
        y = relu ? y.max(Expr.of(0)) : y;
        View exact = channel(View.of(Type.of(real, channels)), x.shape());
        List<View> operands = new ArrayList<>(List.of(x, exact, exact, channel(inputs.get(2), x.shape())));
        if (residual) {
            operands.add(inputs.get(3));
        }
        int read = operands.size();
        KernelPlan normalise = maps.one(new Elementwise(List.of(y), operands, List.of(outputs.get(0))));
        normalise
                .launches()
                .forEach(launch -> launches.add(launch.withOperands(index -> index == 1 || index == 2
                        ? new Argument.Scratch(index + 2)
                        : operand(index == 0 ? 0 : index == read ? first : index - 1))));
        long partial = parts * channels * real.bytes(), statistics = channels * real.bytes();
        return new KernelPlan(launches, List.of(partial, partial, partial, statistics, statistics), List.of());
    }

    /** All axes but the channels'. */
    private static List<Integer> places(Shape shape) {
        return IntStream.range(0, shape.rank())
                .filter(axis -> axis != 1)
                .boxed()
                .toList();
    }

    /** A view per channel seen as one that repeats over the image. */
    private static View channel(View view, Shape image) {
        List<Long> strides = new ArrayList<>(Collections.nCopies(image.rank(), 0L));
        strides.set(1, view.strides().get(0));
        return new View(view.dtype(), image, strides, view.offset());
    }

    /** Adds the launch that forms the moments of parts of each channel; returns how many parts. */
    private int moments(View x, Space rest, List<KernelLaunch> launches) {
        int last = rest.last();
        long channels = x.shape().dim(1), places = rest.elements();
        long channelStride = x.strides().get(1);
        boolean rows = channels == 1 || channelStride > rest.strides()[0][last];
        int along = rows ? (places > 1024 ? BLOCK : 32) : 8;
        int across = BLOCK / along;
        long columns = Maps.ceil(channels, across), turn = (long) along * UNROLL;
        long wanted = Maps.ceil(4L * multiprocessors, columns);
        int parts = Math.clamp(Math.min(wanted, Maps.ceil(places, turn)), 1, MOST_PARTS);
        // Whole turns for each part, the last but one not beyond the end.
        long span = Maps.ceil(Maps.ceil(places, parts), turn) * turn;
        parts = (int) Maps.ceil(places, span);
        String constants =
                "const int ALONG = " + along + ", ACROSS = " + across + ";\nconst bool ROWS = " + rows + ";\n";
        KernelCode code = sources.code("batch_norm.cu", x.dtype(), places + span, constants);
        launches.add(new KernelLaunch(
                code,
                "channel_moments",
                Math.toIntExact(columns),
                parts,
                1,
                BLOCK,
                0,
                List.of(
                        operand(0),
                        new Argument.Scratch(0),
                        new Argument.Scratch(1),
                        new Argument.Scratch(2),
                        new Argument.Int(Math.toIntExact(channels)),
                        sources.index(places + span, places),
                        sources.index(places + span, span),
                        sources.index(places + span, rest.extents()[last]),
                        new Argument.Long(rest.rank() == 1 ? 0 : rest.strides()[0][0]),
                        new Argument.Long(rest.strides()[0][last]),
                        new Argument.Long(channelStride),
                        new Argument.Long(x.offset()))));
        return parts;
    }

    /**
     * Inputs x, scale, mean, variance, dy and, after a ReLU, y; outputs dx, dscale, dshift and perhaps the gradient of the
     * residual.
     */
    KernelPlan backward(double epsilon, boolean relu, boolean residual, List<View> inputs, List<View> outputs) {
        Shape shape = inputs.get(0).shape();
        if (shape.elements() == 0) {
            return null;
        }
        int first = inputs.size();
        View x = inputs.get(0), dy = inputs.get(4);
        View mean = channel(inputs.get(2), shape), variance = channel(inputs.get(3), shape);
        List<View> read = new ArrayList<>(List.of(x, mean, variance, dy));
        if (relu) {
            read.add(inputs.get(5));
        }
        Expr rstd = Expr.arg(2).add(epsilon).pow(-0.5);
        Expr normal = Expr.arg(0).sub(Expr.arg(1)).mul(rstd);
        Expr d = relu ? Expr.select(Expr.arg(4).lessOrEqual(Expr.of(0)), Expr.of(0), Expr.arg(3)) : Expr.arg(3);
        int[] operands = {0, 2, 3, 4, 5};
        // Halves are too coarse for what every element's gradient is computed from.
        boolean half = x.dtype().bytes() == 2;
        View sum = View.of(Type.of(DType.F32, shape.dim(1)));
        List<View> totals = half ? List.of(sum, sum) : outputs.subList(1, 3);
        KernelPlan sums = reductions.plan(
                List.of(d.mul(normal), d),
                List.of(Reduce.Kind.SUM, Reduce.Kind.SUM),
                shape,
                places(shape),
                read,
                totals);
        List<Long> scratch = new ArrayList<>(sums.scratch());
        IntFunction<Argument> total = half
                ? index -> new Argument.Scratch(sums.scratch().size() + index)
                : index -> operand(first + 1 + index);
        int some = read.size();
        List<KernelLaunch> launches = new ArrayList<>();
        sums.launches()
                .forEach(launch -> launches.add(launch.withOperands(
                        index -> index < some ? operand(operands[index]) : total.apply(index - some))));
        if (half) {
            scratch.add(sum.shape().elements() * Float.BYTES);
            scratch.add(sum.shape().elements() * Float.BYTES);
            maps.one(new Elementwise(List.of(Expr.arg(0), Expr.arg(1)), totals, outputs.subList(1, 3)))
                    .launches()
                    .forEach(launch -> launches.add(
                            launch.withOperands(index -> index < 2 ? total.apply(index) : operand(first - 1 + index))));
        }
        // Then each element: its own gradient less what the statistics that it is part of take away.
        int next = read.size();
        double count = (double) shape.elements() / shape.dim(1);
        read.add(channel(inputs.get(1), shape));
        read.add(channel(totals.get(0), shape));
        read.add(channel(totals.get(1), shape));
        Expr scale = Expr.arg(next), dscale = Expr.arg(next + 1), dshift = Expr.arg(next + 2);
        Expr inner = d.sub(dshift.mul(1 / count)).sub(normal.mul(dscale.mul(1 / count)));
        List<Expr> results = new ArrayList<>(List.of(inner.mul(scale.mul(rstd))));
        List<View> written = new ArrayList<>(List.of(outputs.get(0)));
        if (residual) {
            results.add(d);
            written.add(outputs.get(3));
        }
        int all = read.size();
        maps.one(new Elementwise(results, read, written))
                .launches()
                .forEach(launch -> launches.add(launch.withOperands(index -> {
                    if (index < next) {
                        return operand(operands[index]);
                    } else if (index < all) {
                        return index == next ? operand(1) : total.apply(index - next - 1);
                    }
                    return operand(index == all ? first : first + 3);
                })));
        return new KernelPlan(launches, scratch, sums.cleared());
    }
}
