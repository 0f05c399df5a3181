package io.kingfisher.layers;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;

/** All axes but the first made one. */
public final class Flatten extends Layer {
    public Flatten() {}

    @Override
    protected Value forward(Recording r, Value x) {
        Shape rest = x.shape().slice(1, x.rank());
        return x.reshape(Shape.of(x.dim(0), rest.elements()));
    }
}
