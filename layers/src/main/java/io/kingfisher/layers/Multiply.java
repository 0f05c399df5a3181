package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;

/**
 * The elementwise product of two layers' results for the same input, which broadcast: a gate. The layers are named 0 and 1.
 */
public final class Multiply extends Layer {
    private final Layer first, second;

    public Multiply(Layer first, Layer second) {
        this.first = child("0", first);
        this.second = child("1", second);
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return first.apply(r, x).mul(second.apply(r, x));
    }
}
