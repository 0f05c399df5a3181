package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.kernels.ImageLayout;
import io.kingfisher.runtime.cpu.kernels.KernelEngine;
import io.kingfisher.runtime.cpu.kernels.WinogradConvolution;
import io.kingfisher.runtime.cpu.kernels.WinogradWeightGradient;
import io.kingfisher.runtime.cpu.kernels.WinogradWeights;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import java.util.List;
import java.util.Map;

/**
 * Convolutions by 3x3 kernels with stride 1 and their gradients as Winograd's F(4x4, 3x3), with a quarter of the
 * multiplications. Images keep the layout that they have, where channels are last or in blocks.
 */
final class WinogradConvolutions {
    // Measured on two cores with AVX2, in multiplications of oneDNN's direct convolution: a product at one of 36
    // places,
    // a value there that is made from an image or put back into one, and one that is made from weights.
    private static final double PRODUCT = 1.25;
    private static final double VALUE = 45;
    private static final double WEIGHT = 80;

    /** What of the direct time it must not exceed. */
    private static final double WORTH = 0.9;

    private final Assembly assembly;
    private final KernelEngine engine;
    private final boolean allowed;
    private final boolean used;

    WinogradConvolutions(Assembly assembly, CpuDevice device, List<Node> nodes) {
        this.assembly = assembly;
        this.engine = device.kernels();
        this.allowed = device.winograd();
        this.used = nodes.stream().anyMatch(this::takes);
    }

    /** Whether any of the program's nodes is computed so. */
    boolean used() {
        return used;
    }

    /** Whether a node is a convolution or a gradient of one that is computed so: where it can be and is faster. */
    boolean takes(Node node) {
        return allowed
                && node.outputs().stream().allMatch(v -> v.dtype() == DType.F32)
                && switch (node.op()) {
                    case Conv2d op ->
                        pays(op.window(), node.input(0).shape(), node.input(1).shape());
                    case Conv2dInputGrad op ->
                        pays(op.window(), node.output(0).shape(), node.input(1).shape());
                    case Conv2dWeightGrad op ->
                        pays(op.window(), node.input(0).shape(), node.output(0).shape());
                    default -> false;
                };
    }

    private static boolean pays(Convolution window, Shape x, Shape w) {
        boolean possible = w.dim(2) == 3
                && w.dim(3) == 3
                && window.strideH() == 1
                && window.strideW() == 1
                && window.dilationH() == 1
                && window.dilationW() == 1
                && window.groups() == 1
                && window.paddingH() <= 2
                && window.paddingW() <= 2;
        if (!possible || x.elements() == 0 || w.elements() == 0) {
            return false;
        }
        Shape y = window.output(x, w);
        double tiles = (double) y.dim(0) * Math.ceilDiv(y.dim(2), 4) * Math.ceilDiv(y.dim(3), 4);
        double channels = x.dim(1), outputs = y.dim(1);
        double direct = 9 * channels * outputs * y.dim(0) * y.dim(2) * y.dim(3);
        double products = PRODUCT * tiles * channels * outputs;
        double values = VALUE * tiles * (channels + outputs);
        double weights = WEIGHT * channels * outputs;
        return 36 * (products + values + weights) < WORTH * direct;
    }

    /** Forward; {@code bias}, one number for each output channel, may be null. */
    void forward(Conv2d op, Node node, Value bias) {
        Convolution window = op.window();
        Value x = node.input(0), w = node.input(1), y = node.output(0);
        Image from = image(x), to = define(y, from);
        WinogradConvolution convolution = new WinogradConvolution(
                engine, from.layout(), to.layout(), window.paddingH(), window.paddingW(), false, bias != null);
        Buffer weights = weights(node, w, false);
        emit(node, convolution, from, weights, bias, to);
    }

    void inputGradient(Conv2dInputGrad op, Node node) {
        Convolution window = op.window();
        Value dy = node.input(0), w = node.input(1), dx = node.output(0);
        Image from = image(dy), to = define(dx, from);
        WinogradConvolution convolution = new WinogradConvolution(
                engine, from.layout(), to.layout(), 2 - window.paddingH(), 2 - window.paddingW(), true, false);
        Buffer weights = weights(node, w, true);
        emit(node, convolution, from, weights, null, to);
    }

    void weightGradient(Conv2dWeightGrad op, Node node) {
        Convolution window = op.window();
        Value x = node.input(0), dy = node.input(1), dw = node.output(0);
        Image image = image(x), gradient = image(dy);
        WinogradWeightGradient step = new WinogradWeightGradient(
                engine, image.layout(), gradient.layout(), window.paddingH(), window.paddingW());
        Buffer result = assembly.define(dw, kernel(dw.shape()));
        Buffer scratch = Buffer.temporary(step.scratchBytes());
        assembly.emit(new Instruction<>(
                assembly.describe(node, "Winograd F(4x4, 3x3)"),
                node.scope(),
                List.of(image.buffer(), gradient.buffer()),
                List.of(result, scratch),
                Map.of(),
                step.products(),
                () -> step.bind(
                        image.buffer().address(), gradient.buffer().address(), result.address(), scratch.address())));
    }

    private void emit(Node node, WinogradConvolution convolution, Image from, Buffer weights, Value bias, Image to) {
        Buffer scratch = Buffer.temporary(convolution.scratchBytes());
        Buffer added = bias == null ? null : assembly.plain(bias);
        assembly.emit(new Instruction<>(
                assembly.describe(node, "") + (bias == null ? "" : " plus bias " + bias) + " by Winograd F(4x4, 3x3)",
                node.scope(),
                added == null ? List.of(from.buffer(), weights) : List.of(from.buffer(), weights, added),
                List.of(to.buffer(), scratch),
                Map.of(),
                convolution.products(),
                () -> convolution.bind(
                        from.buffer().address(),
                        weights.address(),
                        added == null ? 0 : added.address(),
                        to.buffer().address(),
                        scratch.address())));
    }

    /** The transformed weights. */
    private Buffer weights(Node node, Value w, boolean rotated) {
        WinogradWeights step =
                new WinogradWeights(engine, w.shape().size(1), w.shape().size(0));
        Buffer taps;
        try (DnnlMemoryDesc kernel = kernel(w.shape())) {
            taps = assembly.in(w, kernel);
        }
        Buffer places = Buffer.temporary(step.placesBytes()), scratch = Buffer.temporary(step.scratchBytes());
        assembly.emit(Instruction.of(
                "Winograd weights" + (rotated ? ", rotated" : "") + " of " + w,
                node.scope(),
                List.of(taps),
                List.of(places, scratch),
                () -> step.forward(taps.address(), places.address(), scratch.address(), rotated)));
        return places;
    }

    /** A kernel's taps as the outermost axes, outputs side by side. */
    private DnnlMemoryDesc kernel(Shape shape) {
        return DnnlMemoryDesc.tagged(assembly.onednn().type(DType.F32), shape.toArray(), dnnl_h.dnnl_hwio());
    }

    /** An image in memory. */
    private record Image(Buffer buffer, ImageLayout layout) {}

    private Image image(Value value) {
        int block = assembly.primary(value).layout().channelBlock();
        int channels = value.shape().size(1);
        int chosen = block > 0 ? block : channels;
        try (DnnlMemoryDesc desc = described(value, chosen)) {
            return new Image(assembly.in(value, desc), layout(value, chosen));
        }
    }

    /** Memory for a result, in blocks as another image has them where they divide its channels. */
    private Image define(Value value, Image like) {
        int channels = value.shape().size(1), block = like.layout().block();
        boolean last = block == like.layout().channels();
        int chosen = !last && channels % block == 0 ? block : channels;
        return new Image(assembly.define(value, described(value, chosen)), layout(value, chosen));
    }

    private static ImageLayout layout(Value value, int block) {
        Shape s = value.shape();
        return new ImageLayout(s.size(0), s.size(1), s.size(2), s.size(3), block);
    }

    private DnnlMemoryDesc described(Value value, int block) {
        int tag = block == value.shape().size(1)
                ? dnnl_h.dnnl_nhwc()
                : block == 8 ? dnnl_h.dnnl_nChw8c() : dnnl_h.dnnl_nChw16c();
        return DnnlMemoryDesc.tagged(
                assembly.onednn().type(DType.F32), value.shape().toArray(), tag);
    }
}
