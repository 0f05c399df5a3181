package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.NativeException;
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
import java.util.ArrayList;
import java.util.List;

/**
 * Convolutions and their gradients by oneDNN. An image stays in the layout that it has; where none is given oneDNN chooses,
 * unless it would pad the channels or {@link WinogradConvolutions} are near: then they come last, in which layout elementwise steps have no gaps to mind and, measured
 * on LeNet's 6 channels, weight gradients take a fifth of the time.
 */
final class Convolutions {
    private final Assembly assembly;
    private final OneDnn onednn;
    private final boolean last;

    /** @param last whether images without a layout get their channels last rather than what oneDNN would choose */
    Convolutions(Assembly assembly, boolean last) {
        this.assembly = assembly;
        this.last = last;
        this.onednn = assembly.onednn();
    }

    /** A convolution in oneDNN's terms. */
    private final class Problem {
        final Shape image;
        final Shape output;
        private final long[] weight;
        private final DnnlMemoryDesc bias;
        private final long[] strides;
        private final long[] dilations;
        private final long[] padding;

        Problem(Convolution window, Shape x, Shape w, boolean biased) {
            image = x;
            output = window.output(x, w);
            int g = window.groups();
            weight = g == 1 ? w.toArray() : new long[] {g, w.dim(0) / g, w.dim(1), w.dim(2), w.dim(3)};
            bias = biased ? assembly.resources().keep(onednn.plain(DType.F32, Shape.of(w.dim(0)))) : null;
            strides = new long[] {window.strideH(), window.strideW()};
            // oneDNN counts the cells left out between two of the window.
            dilations = new long[] {window.dilationH() - 1, window.dilationW() - 1};
            padding = new long[] {window.paddingH(), window.paddingW()};
        }

        DnnlPrimitiveDesc forward(DnnlMemoryDesc src, DnnlMemoryDesc dst) {
            try (DnnlMemoryDesc weights = any(weight)) {
                return DnnlPrimitiveDesc.convolutionForward(
                        onednn.engine(),
                        dnnl_h.dnnl_forward_training(),
                        dnnl_h.dnnl_convolution_direct(),
                        src,
                        weights,
                        bias,
                        dst,
                        strides,
                        dilations,
                        padding,
                        padding,
                        onednn.attributes());
            }
        }

        DnnlPrimitiveDesc inputGradient(DnnlMemoryDesc src, DnnlMemoryDesc dst) {
            try (DnnlMemoryDesc weights = any(weight);
                    DnnlPrimitiveDesc hint = hint()) {
                return DnnlPrimitiveDesc.convolutionBackwardData(
                        onednn.engine(),
                        dnnl_h.dnnl_convolution_direct(),
                        src,
                        weights,
                        dst,
                        strides,
                        dilations,
                        padding,
                        padding,
                        hint,
                        onednn.attributes());
            }
        }

        DnnlPrimitiveDesc weightGradient(DnnlMemoryDesc src, DnnlMemoryDesc dst) {
            try (DnnlMemoryDesc weights = any(weight);
                    DnnlPrimitiveDesc hint = hint()) {
                DnnlPrimitiveDesc pd = DnnlPrimitiveDesc.convolutionBackwardWeights(
                        onednn.engine(),
                        dnnl_h.dnnl_convolution_direct(),
                        src,
                        weights,
                        null,
                        dst,
                        strides,
                        dilations,
                        padding,
                        padding,
                        hint,
                        onednn.attributes());
                // The hint must live for as long as there is another implementation to go to.
                leaveUnsound(pd);
                return pd;
            }
        }

        /**
         * For the weight gradient of a 1x1 kernel with a stride, oneDNN 3.11's own code for 1x1 kernels first copies the cells
         * that the kernel sees, in blocks of channels. Where the channels do not fill the last block it writes behind its
         * scratch memory: wrong gradients, or a crash. Its next code is right.
         */
        private void leaveUnsound(DnnlPrimitiveDesc pd) {
            boolean strided = strides[0] > 1 || strides[1] > 1;
            boolean more = strided && (image.dim(1) % 16 != 0 || output.dim(1) % 16 != 0);
            while (more && pd.implementation().contains("1x1")) {
                more = pd.nextImplementation();
            }
        }

        private DnnlPrimitiveDesc hint() {
            try (DnnlMemoryDesc src = any(image.toArray());
                    DnnlMemoryDesc dst = any(output.toArray())) {
                return forward(src, dst);
            }
        }
    }

    private DnnlMemoryDesc any(long... dims) {
        return DnnlMemoryDesc.any(onednn.type(DType.F32), dims);
    }

    /** One of a convolution's three primitives, for an image and an output that may be left open. */
    private interface Primitive {
        DnnlPrimitiveDesc describe(DnnlMemoryDesc image, DnnlMemoryDesc output);
    }

    /** A convolution; {@code bias}, one number for each output channel, may be null. */
    void forward(Conv2d op, Node node, Value bias) {
        Value x = node.input(0), w = node.input(1);
        Problem problem = new Problem(op.window(), x.shape(), w.shape(), bias != null);
        int src = dnnl_h.DNNL_ARG_SRC(), dst = dnnl_h.DNNL_ARG_DST(), weights = dnnl_h.DNNL_ARG_WEIGHTS();
        DnnlPrimitiveDesc pd = choose(problem, problem::forward, x, null, src, dst);
        PrimitiveCall call = new PrimitiveCall(assembly, pd);
        read(call, pd, src, x);
        read(call, pd, weights, w);
        if (bias != null) {
            call.read(dnnl_h.DNNL_ARG_BIAS(), assembly.plain(bias));
        }
        call.write(dst, assembly.define(node.output(0), pd.argument(dst)));
        call.emit(assembly.describe(node, "") + (bias == null ? "" : " plus bias " + bias), node.scope());
    }

    void inputGradient(Conv2dInputGrad op, Node node) {
        Value dy = node.input(0), w = node.input(1), dx = node.output(0);
        Problem problem = new Problem(op.window(), dx.shape(), w.shape(), false);
        int src = dnnl_h.DNNL_ARG_DIFF_SRC(), dst = dnnl_h.DNNL_ARG_DIFF_DST(), weights = dnnl_h.DNNL_ARG_WEIGHTS();
        DnnlPrimitiveDesc pd = choose(problem, problem::inputGradient, null, dy, src, dst);
        PrimitiveCall call = new PrimitiveCall(assembly, pd);
        read(call, pd, dst, dy);
        read(call, pd, weights, w);
        call.write(src, assembly.define(dx, pd.argument(src)));
        call.emit(assembly.describe(node, ""), node.scope());
    }

    void weightGradient(Conv2dWeightGrad op, Node node) {
        Value x = node.input(0), dy = node.input(1), dw = node.output(0);
        Problem problem = new Problem(op.window(), x.shape(), dw.shape(), false);
        int src = dnnl_h.DNNL_ARG_SRC(), dst = dnnl_h.DNNL_ARG_DIFF_DST(), weights = dnnl_h.DNNL_ARG_DIFF_WEIGHTS();
        DnnlPrimitiveDesc pd = choose(problem, problem::weightGradient, x, dy, src, dst);
        PrimitiveCall call = new PrimitiveCall(assembly, pd);
        read(call, pd, src, x);
        read(call, pd, dst, dy);
        call.write(weights, assembly.define(dw, pd.argument(weights)));
        call.emit(assembly.describe(node, ""), node.scope());
    }

    private void read(PrimitiveCall call, DnnlPrimitiveDesc pd, int argument, Value value) {
        try (DnnlMemoryDesc wanted = pd.argument(argument)) {
            call.read(argument, assembly.in(value, wanted));
        }
    }

    /** Tries layouts until oneDNN has fast code for one that pads no channels. */
    private DnnlPrimitiveDesc choose(
            Problem problem, Primitive primitive, Value image, Value output, int src, int dst) {
        List<DnnlPrimitiveDesc> tried = new ArrayList<>();
        DnnlPrimitiveDesc chosen = null;
        for (Arrangement arrangement : Arrangement.values()) {
            try (DnnlMemoryDesc x = arrangement.of(this, problem.image, image);
                    DnnlMemoryDesc y = arrangement.of(this, problem.output, output)) {
                DnnlPrimitiveDesc pd = primitive.describe(x, y);
                tried.add(pd);
                if (fast(pd) && gapless(pd, src) && gapless(pd, dst)) {
                    chosen = pd;
                    break;
                }
            } catch (NativeException e) {
                // oneDNN has nothing for this arrangement; the open one always has an implementation.
                if (arrangement == Arrangement.OPEN) {
                    throw e;
                }
            }
        }
        if (chosen == null) {
            chosen = tried.stream().filter(Convolutions::fast).findFirst().orElse(tried.get(0));
        }
        DnnlPrimitiveDesc result = chosen;
        tried.stream().filter(pd -> pd != result).forEach(DnnlPrimitiveDesc::close);
        return assembly.resources().keep(result);
    }

    /** What is asked of oneDNN for the layouts of images. */
    private enum Arrangement {
        /** Those that the operands have, where they have their channels last or in blocks; others are open or last. */
        KEPT,
        /** Whatever oneDNN likes best. */
        OPEN,
        /** Channels last. */
        LAST;

        DnnlMemoryDesc of(Convolutions owner, Shape shape, Value value) {
            int type = owner.onednn.type(DType.F32);
            Layout layout = this == KEPT && value != null
                    ? owner.assembly.primary(value).layout()
                    : Layout.PLAIN;
            if (layout.image()) {
                return layout.desc().copy();
            }
            return this == LAST || this == KEPT && owner.last
                    ? DnnlMemoryDesc.tagged(type, shape.toArray(), dnnl_h.dnnl_nhwc())
                    : owner.any(shape.toArray());
        }
    }

    private static boolean fast(DnnlPrimitiveDesc pd) {
        String name = pd.implementation();
        return !name.contains("ref") && !name.contains("gemm");
    }

    private static boolean gapless(DnnlPrimitiveDesc pd, int argument) {
        try (DnnlMemoryDesc desc = pd.argument(argument)) {
            return Layout.gapless(desc);
        }
    }
}
