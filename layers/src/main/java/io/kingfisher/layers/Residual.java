package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;

/** body(x) + shortcut(x), the shortcut being x itself unless one is given. */
public final class Residual extends Layer {
    private final Layer body, shortcut;

    public Residual(Layer body) {
        this(body, new Identity());
    }

    public Residual(Layer body, Layer shortcut) {
        this.body = child("body", body);
        this.shortcut = child("shortcut", shortcut);
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return body.apply(r, x).add(shortcut.apply(r, x));
    }
}
