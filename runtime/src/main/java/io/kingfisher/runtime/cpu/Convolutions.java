package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;

/** Convolutions and their gradients by oneDNN, each in the layouts that oneDNN prefers. */
final class Convolutions {
    private final Assembly assembly;
    private final OneDnn onednn;

    Convolutions(Assembly assembly) {
        this.assembly = assembly;
        this.onednn = assembly.onednn();
    }

    /** A convolution's descriptors with all layouts left to oneDNN, and its window in oneDNN's terms. */
    private final class Problem implements AutoCloseable {
        final DnnlMemoryDesc image;
        final DnnlMemoryDesc weight;
        final DnnlMemoryDesc output;
        final long[] strides;
        final long[] dilations;
        final long[] padding;

        Problem(Convolution window, Shape x, Shape w) {
            image = any(x.toArray());
            int g = window.groups();
            weight = g == 1 ? any(w.toArray()) : any(g, w.dim(0) / g, w.dim(1), w.dim(2), w.dim(3));
            Shape y = window.output(x, w);
            output = any(y.toArray());
            strides = new long[] {window.strideH(), window.strideW()};
            // oneDNN counts the cells left out between two of the window.
            dilations = new long[] {window.dilationH() - 1, window.dilationW() - 1};
            padding = new long[] {window.paddingH(), window.paddingW()};
        }

        private DnnlMemoryDesc any(long... dims) {
            return DnnlMemoryDesc.any(onednn.type(DType.F32), dims);
        }

        DnnlPrimitiveDesc forward() {
            return DnnlPrimitiveDesc.convolutionForward(
                    onednn.engine(),
                    dnnl_h.dnnl_forward_training(),
                    dnnl_h.dnnl_convolution_direct(),
                    image,
                    weight,
                    null,
                    output,
                    strides,
                    dilations,
                    padding,
                    padding,
                    onednn.attributes());
        }

        @Override
        public void close() {
            image.close();
            weight.close();
            output.close();
        }
    }

    void forward(Conv2d op, Node node) {
        Value x = node.input(0), w = node.input(1), y = node.output(0);
        try (Problem problem = new Problem(op.window(), x.shape(), w.shape())) {
            DnnlPrimitiveDesc pd = assembly.resources().keep(problem.forward());
            call(
                    node,
                    pd,
                    new int[] {dnnl_h.DNNL_ARG_SRC(), dnnl_h.DNNL_ARG_WEIGHTS()},
                    new Value[] {x, w},
                    dnnl_h.DNNL_ARG_DST(),
                    y);
        }
    }

    void inputGradient(Conv2dInputGrad op, Node node) {
        Value dy = node.input(0), w = node.input(1), dx = node.output(0);
        try (Problem problem = new Problem(op.window(), dx.shape(), w.shape());
                DnnlPrimitiveDesc hint = problem.forward()) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.convolutionBackwardData(
                            onednn.engine(),
                            dnnl_h.dnnl_convolution_direct(),
                            problem.image,
                            problem.weight,
                            problem.output,
                            problem.strides,
                            problem.dilations,
                            problem.padding,
                            problem.padding,
                            hint,
                            onednn.attributes()));
            call(
                    node,
                    pd,
                    new int[] {dnnl_h.DNNL_ARG_DIFF_DST(), dnnl_h.DNNL_ARG_WEIGHTS()},
                    new Value[] {dy, w},
                    dnnl_h.DNNL_ARG_DIFF_SRC(),
                    dx);
        }
    }

    void weightGradient(Conv2dWeightGrad op, Node node) {
        Value x = node.input(0), dy = node.input(1), dw = node.output(0);
        try (Problem problem = new Problem(op.window(), x.shape(), dw.shape());
                DnnlPrimitiveDesc hint = problem.forward()) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.convolutionBackwardWeights(
                            onednn.engine(),
                            dnnl_h.dnnl_convolution_direct(),
                            problem.image,
                            problem.weight,
                            null,
                            problem.output,
                            problem.strides,
                            problem.dilations,
                            problem.padding,
                            problem.padding,
                            hint,
                            onednn.attributes()));
            call(
                    node,
                    pd,
                    new int[] {dnnl_h.DNNL_ARG_SRC(), dnnl_h.DNNL_ARG_DIFF_DST()},
                    new Value[] {x, dy},
                    dnnl_h.DNNL_ARG_DIFF_WEIGHTS(),
                    dw);
        }
    }

    private void call(Node node, DnnlPrimitiveDesc pd, int[] arguments, Value[] inputs, int result, Value output) {
        PrimitiveCall call = new PrimitiveCall(assembly, pd);
        for (int i = 0; i < inputs.length; i++) {
            try (DnnlMemoryDesc wanted = pd.argument(arguments[i])) {
                call.read(arguments[i], assembly.in(inputs[i], wanted));
            }
        }
        call.write(result, assembly.define(output, pd.argument(result)));
        call.emit(assembly.describe(node, ""), node.scope());
    }
}
