package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/** A convolution of images x [N x in x H x W] with weight [out x in/groups x KH x KW] and bias [out]. */
public final class Conv2d extends Layer {
    private final Convolution window;
    private final Parameter weight;
    private final Optional<Parameter> bias;

    /** A square kernel with bias. */
    public Conv2d(long in, long out, int kernel, int stride, int padding) {
        this(in, out, kernel, kernel, Convolution.of(stride, padding, 1, 1), true);
    }

    public Conv2d(long in, long out, int kernelH, int kernelW, Convolution window, boolean bias) {
        int groups = window.groups();
        if (in < 1 || out < 1 || in % groups != 0 || out % groups != 0 || kernelH < 1 || kernelW < 1) {
            throw new KingfisherException("A convolution needs a kernel of at least 1x1 and channels that its groups"
                    + " divide; got " + in + " to " + out + " channels in " + groups + " groups, kernel " + kernelH
                    + "x" + kernelW + ".");
        }
        long fanIn = in / groups * kernelH * kernelW;
        this.window = window;
        this.weight = parameter("weight", Shape.of(out, in / groups, kernelH, kernelW), Initializer.fanIn(fanIn));
        this.bias = bias ? Optional.of(parameter("bias", Shape.of(out), Initializer.fanIn(fanIn))) : Optional.empty();
    }

    public Parameter weight() {
        return weight;
    }

    public Optional<Parameter> bias() {
        return bias;
    }

    /** How the kernel moves. */
    public Convolution window() {
        return window;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        Value product = r.wide(r.graph()
                .add(new io.kingfisher.runtime.graph.Conv2d(window), r.narrow(x), r.narrow(r.value(weight)))
                .output(0));
        Value s = bias.isPresent()
                ? product.add(r.value(bias.get()).reshape(weight.shape().dim(0), 1, 1))
                : product;
        r.capture(new Capture.Conv2d(this, weight, bias, x, s, window));
        return s;
    }
}
