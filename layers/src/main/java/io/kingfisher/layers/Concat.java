package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** The results of several layers for the same input, joined along an axis; the layers are named 0, 1, 2 ... */
public final class Concat extends Layer {
    private final int axis;

    public Concat(int axis, Layer... branches) {
        this.axis = axis;
        for (int i = 0; i < branches.length; i++) {
            child(Integer.toString(i), branches[i]);
        }
    }

    @Override
    protected Value forward(Recording r, Value x) {
        List<Value> parts =
                children().values().stream().map(branch -> branch.apply(r, x)).toList();
        return r.graph().concat(axis, parts);
    }
}
