package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Value;

/** The mean over windows of images [N x C x H x W]; padding counts as zeros. */
public final class AvgPool2d extends Layer {
    private final Pool.Window window;

    /** Square windows side by side. */
    public AvgPool2d(int kernel) {
        this(Pool.Window.of(kernel, kernel, 0));
    }

    public AvgPool2d(Pool.Window window) {
        this.window = window;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return r.graph().add(new Pool.AvgPool2d(window), x).output(0);
    }
}
