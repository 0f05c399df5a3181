package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Value;

/** The maximum over windows of images [N x C x H x W]; padding never wins. */
public final class MaxPool2d extends Layer {
    private final Pool.Window window;

    /** Square windows side by side. */
    public MaxPool2d(int kernel) {
        this(Pool.Window.of(kernel, kernel, 0));
    }

    public MaxPool2d(Pool.Window window) {
        this.window = window;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return r.graph().add(new Pool.MaxPool2d(window), x).output(0);
    }
}
