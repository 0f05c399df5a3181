package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/** Layer normalisation (Ba et al., 2016) over the last axis: x [... x width], weight and bias [width]. */
public final class LayerNorm extends Layer {
    private final double epsilon;
    private final Parameter weight, bias;

    public LayerNorm(long width) {
        this(width, 1e-5);
    }

    public LayerNorm(long width, double epsilon) {
        this.epsilon = epsilon;
        this.weight = parameter("weight", Shape.of(width), Initializer.constant(1));
        this.bias = parameter("bias", Shape.of(width), Initializer.constant(0));
    }

    public Parameter weight() {
        return weight;
    }

    public Parameter bias() {
        return bias;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        if (x.rank() < 1 || !weight.shape().equals(Shape.of(x.dim(-1)))) {
            throw new KingfisherException(label() + " takes values with a last axis of "
                    + weight.shape().dim(0) + ", not " + x.type() + ".");
        }
        Node node =
                r.graph().add(new io.kingfisher.runtime.graph.LayerNorm(epsilon), x, r.value(weight), r.value(bias));
        Value s = node.output(0);
        r.capture(new Capture.LayerNorm(this, weight, Optional.of(bias), x, s, node.output(1), node.output(2)));
        return s;
    }
}
