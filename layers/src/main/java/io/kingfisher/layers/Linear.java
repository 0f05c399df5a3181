package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/** y = x weight^T + bias over the last axis: x [... x in], weight [out x in], bias [out]. */
public final class Linear extends Layer {
    private final Parameter weight;
    private final Optional<Parameter> bias;

    public Linear(long in, long out) {
        this(in, out, true);
    }

    public Linear(long in, long out, boolean bias) {
        this.weight = parameter("weight", Shape.of(out, in), Initializer.fanIn(in));
        this.bias = bias ? Optional.of(parameter("bias", Shape.of(out), Initializer.fanIn(in))) : Optional.empty();
    }

    public Parameter weight() {
        return weight;
    }

    public Optional<Parameter> bias() {
        return bias;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return project(r, this, weight, bias, x);
    }

    /** A linear map of some layer's parameters, captured. */
    static Value project(Recording r, Layer layer, Parameter weight, Optional<Parameter> bias, Value x) {
        long in = weight.shape().dim(1), out = weight.shape().dim(0);
        if (x.rank() < 1 || x.dim(-1) != in) {
            throw new KingfisherException(
                    layer.label() + " takes values with a last axis of " + in + ", not " + x.type() + ".");
        }
        // One matrix product for all leading axes, so that the weight's gradient is one too.
        Value rows = x.reshape(x.shape().elements() / in, in);
        Value product = r.wide(r.narrow(rows).matmul(r.narrow(r.value(weight)), false, true));
        Value sum = bias.isPresent() ? product.add(r.value(bias.get())) : product;
        Value s = sum.reshape(x.shape().with(-1, out));
        r.capture(new Capture.Linear(layer, weight, bias, x, s));
        return s;
    }
}
