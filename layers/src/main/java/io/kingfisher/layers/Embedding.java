package io.kingfisher.layers;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;

/**
 * Rows of a table: indices I32 [...] to [... x width], weight [entries x width]. An index outside the table gives a row of
 * NaN.
 */
public final class Embedding extends Layer {
    private final Parameter weight;

    public Embedding(long entries, long width) {
        this.weight = parameter("weight", Shape.of(entries, width), Initializer.normal(1));
    }

    public Parameter weight() {
        return weight;
    }

    @Override
    protected Value forward(Recording r, Value indices) {
        Value s = r.value(weight).gather(indices);
        r.capture(new Capture.Embedding(this, weight, indices, s));
        return s;
    }
}
