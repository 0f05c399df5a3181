package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Kernels of which a warp or a block has a row: softmax, cross-entropy and layer norm, in row-major order. */
final class RowKernels {
    private static final int BLOCK = 256;

    /** The widest row of a warp. */
    private static final int WARP_WIDTH = 1024;

    /** The columns for which a thread keeps two sums, in registers. */
    private static final int MOST_COLUMNS = 32;

    private final Sources sources;
    private final Reductions reductions;
    private final int multiprocessors;

    RowKernels(Sources sources, Reductions reductions, int multiprocessors) {
        this.sources = sources;
        this.reductions = reductions;
        this.multiprocessors = multiprocessors;
    }

    private static int threads(long width) {
        return width <= WARP_WIDTH ? 32 : BLOCK;
    }

    private static String threadsConstant(long width) {
        return "const int THREADS = " + threads(width) + ";\n";
    }

    private KernelPlan rows(KernelCode code, String function, long rows, long width, Argument... arguments) {
        int together = BLOCK / threads(width);
        return KernelPlan.of(new KernelLaunch(
                code, function, Math.toIntExact(Maps.ceil(rows, together)), 1, 1, BLOCK, 0, Arrays.asList(arguments)));
    }

    private static Argument operand(int index) {
        return new Argument.Operand(index);
    }

    private static long width(Shape shape) {
        return shape.dim(-1);
    }

    private static long rows(Shape shape) {
        return shape.slice(0, shape.rank() - 1).elements();
    }

    private KernelCode softmaxCode(View x) {
        return sources.code("softmax.cu", x.dtype(), x.shape().elements(), threadsConstant(width(x.shape())));
    }

    /** The softmax of x, or its gradient of y and dy. */
    KernelPlan softmax(View x, boolean gradient) {
        Shape shape = x.shape();
        if (shape.elements() == 0) {
            return KernelPlan.of();
        }
        long width = width(shape), rows = rows(shape);
        Argument height = new Argument.Long(rows), columns = new Argument.Int(Math.toIntExact(width));
        KernelCode code = softmaxCode(x);
        return gradient
                ? rows(code, "softmax_gradient", rows, width, operand(0), operand(1), operand(2), height, columns)
                : rows(code, "softmax", rows, width, operand(0), operand(1), height, columns);
    }

    KernelPlan crossEntropy(SoftmaxCrossEntropy op, View x) {
        long rows = rows(x.shape()), width = width(x.shape());
        if (rows == 0) {
            return KernelPlan.of();
        }
        return rows(
                softmaxCode(x),
                "cross_entropy",
                rows,
                width,
                operand(0),
                operand(1),
                operand(2),
                operand(3),
                new Argument.Long(rows),
                new Argument.Int(Math.toIntExact(width)),
                new Argument.Double(op.smoothing()),
                new Argument.Int(op.ignoredLabel()));
    }

    KernelPlan crossEntropyGradient(SoftmaxCrossEntropy op, View x) {
        long count = x.shape().elements(), width = width(x.shape());
        if (count == 0) {
            return KernelPlan.of();
        }
        return KernelPlan.of(new KernelLaunch(
                softmaxCode(x),
                "cross_entropy_gradient",
                Math.toIntExact(Maps.ceil(count, BLOCK)),
                1,
                1,
                BLOCK,
                0,
                List.of(
                        operand(0),
                        operand(1),
                        operand(2),
                        operand(3),
                        operand(4),
                        new Argument.Long(rows(x.shape())),
                        new Argument.Int(Math.toIntExact(width)),
                        new Argument.Double(op.smoothing()),
                        new Argument.Int(op.ignoredLabel()))));
    }

    private KernelCode layerNormCode(DType dtype, long width, int columns) {
        String constants = threadsConstant(width) + "const int PER = " + columns + ";\n";
        return sources.code("layer_norm.cu", dtype, 0, constants);
    }

    /** The columns of a thread, rounded up so that few sources are enough. */
    private static int columns(long width) {
        int columns = 1;
        while ((long) columns * threads(width) < width) {
            columns *= 2;
        }
        return columns;
    }

    KernelPlan layerNorm(LayerNorm op, View x) {
        long rows = rows(x.shape()), width = width(x.shape());
        if (rows == 0) {
            return KernelPlan.of();
        }
        return rows(
                layerNormCode(x.dtype(), width, 1),
                "layer_norm",
                rows,
                width,
                operand(0),
                operand(1),
                operand(2),
                operand(3),
                operand(4),
                operand(5),
                new Argument.Long(rows),
                new Argument.Int(Math.toIntExact(width)),
                new Argument.Double(op.epsilon()));
    }

    /** Null where rows are too wide for a thread's registers. */
    KernelPlan layerNormGradient(View x) {
        long rows = rows(x.shape()), width = width(x.shape());
        int columns = columns(width);
        boolean wide = x.dtype() == DType.F64;
        if (columns > (wide ? MOST_COLUMNS / 2 : MOST_COLUMNS)) {
            return null;
        }
        int together = BLOCK / threads(width);
        long blocks = Math.clamp(Maps.ceil(rows, together), 1, 4L * multiprocessors);
        long parts = blocks * together;
        DType real = wide ? DType.F64 : DType.F32;
        KernelLaunch rowwise = new KernelLaunch(
                layerNormCode(x.dtype(), width, columns),
                "layer_norm_gradient",
                Math.toIntExact(blocks),
                1,
                1,
                BLOCK,
                0,
                List.of(
                        operand(0),
                        operand(1),
                        operand(2),
                        operand(3),
                        operand(4),
                        operand(5),
                        new Argument.Scratch(0),
                        new Argument.Scratch(1),
                        new Argument.Long(rows),
                        new Argument.Int(Math.toIntExact(width))));
        Shape shape = Shape.of(parts, width);
        List<View> views = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            views.add(new View(real, shape, List.of(width, 1L), 0));
        }
        for (int i = 0; i < 2; i++) {
            views.add(new View(x.dtype(), shape, List.of(0L, 1L), 0));
        }
        List<KernelLaunch> launches = new ArrayList<>(List.of(rowwise));
        if (width > 0) {
            launches.add(reductions.last(
                    List.of(Reduce.Kind.SUM, Reduce.Kind.SUM),
                    views,
                    index -> new Argument.Scratch(index),
                    index -> operand(6 + index)));
        }
        long bytes = Math.max(1, parts * width * real.bytes());
        return new KernelPlan(launches, List.of(bytes, bytes), List.of());
    }
}
