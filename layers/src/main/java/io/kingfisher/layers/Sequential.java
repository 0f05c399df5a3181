package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** Layers one after another, named 0, 1, 2 ... unless they are given names. */
public final class Sequential extends Layer {
    public Sequential(Layer... layers) {
        this(List.of(layers));
    }

    public Sequential(List<? extends Layer> layers) {
        layers.forEach(this::add);
    }

    /** Appends a layer, named after its position. */
    public Sequential add(Layer layer) {
        return add(Integer.toString(children().size()), layer);
    }

    /** Appends a layer under a name. */
    public Sequential add(String name, Layer layer) {
        child(name, layer);
        return this;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        Value y = x;
        for (Layer layer : children().values()) {
            y = layer.apply(r, y);
        }
        return y;
    }
}
