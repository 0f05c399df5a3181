package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Choice;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Longs;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.References;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.graph.Convolution;
import java.util.List;

/** A convolution or one of its gradients as a cuDNN graph of one operation; groups show in the weight's channels. */
final class ConvGraph {
    private static final long IMAGE = 1, WEIGHT = 2, OUTPUT = 3;

    private ConvGraph() {}

    static DnnGraph of(Conv conv) {
        Shape output = conv.geometry().output(conv.image(), conv.weight());
        Descriptor x = tensor(IMAGE, conv, conv.image()), w = tensor(WEIGHT, conv, conv.weight());
        Descriptor y = tensor(OUTPUT, conv, output);
        long size = conv.dtype().bytes();
        long xs = conv.image().elements() * size, ws = conv.weight().elements() * size, ys = output.elements() * size;
        Descriptor window = window(conv);
        return switch (conv.pass()) {
            case FORWARD ->
                graph(
                        conv,
                        new Descriptor(
                                CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR(),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA(), conv.dtype(), 1),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA(), conv.dtype(), 0),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC(), window),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X(), x),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W(), w),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y(), y)),
                        List.of(IMAGE, WEIGHT, OUTPUT),
                        List.of(xs, ws, ys));
            case INPUT_GRADIENT ->
                graph(
                        conv,
                        new Descriptor(
                                CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR(),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA(), conv.dtype(), 1),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA(), conv.dtype(), 0),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC(), window),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY(), y),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W(), w),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX(), x)),
                        List.of(OUTPUT, WEIGHT, IMAGE),
                        List.of(ys, ws, xs));
            case WEIGHT_GRADIENT ->
                graph(
                        conv,
                        new Descriptor(
                                CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR(),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA(), conv.dtype(), 1),
                                factor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA(), conv.dtype(), 0),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC(), window),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X(), x),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY(), y),
                                reference(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW(), w)),
                        List.of(IMAGE, OUTPUT, WEIGHT),
                        List.of(xs, ys, ws));
        };
    }

    private static DnnGraph graph(Conv conv, Descriptor operation, List<Long> operands, List<Long> bytes) {
        return new DnnGraph(List.of(operation), operands, bytes, List.of(), List.of(), conv.toString());
    }

    /** Dimensions are N C H W whatever the layout; strides say how they lie. */
    private static Descriptor tensor(long id, Conv conv, Shape s) {
        long c = s.dim(1), h = s.dim(2), v = s.dim(3);
        long[] strides = conv.channelsLast() ? new long[] {h * v * c, 1, v * c, c} : s.strides();
        return DnnGraph.tensor(id, DnnGraph.type(conv.dtype()), s.toArray(), strides);
    }

    private static Descriptor window(Conv conv) {
        Convolution g = conv.geometry();
        // Halves are summed in single precision.
        int compute = conv.dtype() == DType.F64 ? CUDNN_DATA_DOUBLE() : CUDNN_DATA_FLOAT();
        List<Long> padding = DnnGraph.list(g.paddingH(), g.paddingW());
        return new Descriptor(
                CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR(),
                new Longs(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS(), List.of(2L)),
                new Choice(CUDNN_ATTR_CONVOLUTION_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE(), compute),
                new Choice(
                        CUDNN_ATTR_CONVOLUTION_CONV_MODE(), CUDNN_TYPE_CONVOLUTION_MODE(), CUDNN_CROSS_CORRELATION()),
                new Longs(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS(), padding),
                new Longs(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS(), padding),
                new Longs(CUDNN_ATTR_CONVOLUTION_DILATIONS(), DnnGraph.list(g.dilationH(), g.dilationW())),
                new Longs(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES(), DnnGraph.list(g.strideH(), g.strideW())));
    }

    private static Attribute factor(int name, DType dtype, double value) {
        return dtype == DType.F64 ? new Attribute.Twice(name, value) : new Attribute.Single(name, (float) value);
    }

    private static Attribute reference(int name, Descriptor descriptor) {
        return new References(name, List.of(descriptor));
    }
}
