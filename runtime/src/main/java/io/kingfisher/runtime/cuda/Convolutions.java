package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.cuda.math.MathLibraries.Pass;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Convolutions by cuDNN: with the channels last where they run on tensor cores, which read nothing else as fast. */
final class Convolutions {
    private final Assembly assembly;
    private final MathLibraries math;
    private final Precision precision;
    private final boolean deterministic;

    Convolutions(Assembly assembly, MathLibraries math, Precision precision, boolean deterministic) {
        this.assembly = assembly;
        this.math = math;
        this.precision = precision;
        this.deterministic = deterministic;
    }

    static boolean convolution(Node node) {
        return node.op() instanceof Conv2d
                || node.op() instanceof Conv2dInputGrad
                || node.op() instanceof Conv2dWeightGrad;
    }

    /** Whether a convolution has its channels last. */
    private static boolean channelsLast(Node node, Precision precision) {
        DType dtype = node.output(0).dtype();
        return dtype.half() || dtype == DType.F32 && precision(node, precision) == Precision.TF32;
    }

    /** Curvature is computed in F32 throughout. */
    private static Precision precision(Node node, Precision precision) {
        return node.curvature() ? Precision.FP32 : precision;
    }

    /** The values that only such convolutions read. */
    static Set<Value> channelsLast(List<Node> nodes, Precision precision) {
        Set<Value> read = new HashSet<>(), elsewhere = new HashSet<>();
        for (Node node : nodes) {
            boolean last = convolution(node) && channelsLast(node, precision);
            (last ? read : elsewhere).addAll(node.inputs());
        }
        read.removeAll(elsewhere);
        return read;
    }

    void forward(Conv2d op, Node node) {
        call(Pass.FORWARD, op.window(), node, node.input(0), node.input(1));
    }

    void inputGradient(Conv2dInputGrad op, Node node) {
        call(Pass.INPUT_GRADIENT, op.window(), node, node.output(0), node.input(1));
    }

    void weightGradient(Conv2dWeightGrad op, Node node) {
        call(Pass.WEIGHT_GRADIENT, op.window(), node, node.input(0), node.output(0));
    }

    private void call(Pass pass, Convolution window, Node node, Value image, Value weight) {
        Value result = node.output(0);
        DType dtype = result.dtype();
        boolean last = channelsLast(node, precision);
        Layout layout = last ? Layout.CHANNELS_LAST : Layout.PLAIN;
        if (result.shape().elements() == 0
                || node.inputs().stream().anyMatch(value -> value.shape().elements() == 0)) {
            assembly.clear(assembly.describe(node), node.scope(), assembly.define(result, layout));
            return;
        }
        List<Buffer> reads =
                node.inputs().stream().map(value -> assembly.in(value, layout)).toList();
        Conv conv = new Conv(
                pass, dtype, precision(node, precision), window, image.shape(), weight.shape(), last, deterministic);
        assembly.call(
                assembly.describe(node),
                node.scope(),
                math.convolution(conv),
                reads,
                List.of(assembly.define(result, layout)));
    }
}
