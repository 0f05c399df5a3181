package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/** y = x weight^T with the table of an {@link Embedding} as weight (Press and Wolf, 2017): the logits of each entry. */
public final class TiedLinear extends Layer {
    private final Embedding embedding;

    /** An output that shares the table; the embedding stays where it is in the model. */
    public TiedLinear(Embedding embedding) {
        this.embedding = embedding;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return Linear.project(r, this, embedding.weight(), Optional.empty(), x);
    }
}
