package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;
import java.util.stream.IntStream;

/** exp(x) / sum exp(x) over an axis. */
public final class Softmax extends Layer {
    private final int axis;

    /** Over the last axis. */
    public Softmax() {
        this(-1);
    }

    public Softmax(int axis) {
        this.axis = axis;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        int from = x.shape().axis(axis), last = x.rank() - 1;
        int[] swapped = IntStream.rangeClosed(0, last).toArray();
        swapped[from] = last;
        swapped[last] = from;
        return x.transpose(swapped).softmax().transpose(swapped);
    }
}
