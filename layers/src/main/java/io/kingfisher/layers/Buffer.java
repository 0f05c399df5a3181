package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;

/** What a layer keeps beside its parameters, as running statistics; saved with them, changed by recordings in training. */
public final class Buffer extends Variable {
    private final double initial;

    Buffer(Layer layer, String name, DType dtype, Shape shape, double initial) {
        super(layer, name, dtype, shape);
        this.initial = initial;
    }

    @Override
    void fill(long seed) {
        tensor().fill(initial);
    }
}
