package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;

/** The mean of each channel of images [N x C x H x W]: [N x C x 1 x 1], as PyTorch's adaptive pooling to 1. */
public final class GlobalAvgPool extends Layer {
    public GlobalAvgPool() {}

    @Override
    protected Value forward(Recording r, Value x) {
        if (x.rank() != 4 || x.shape().elements() == 0) {
            throw new KingfisherException(
                    label() + " takes images [N x C x H x W] that are not empty, not " + x.type() + ".");
        }
        return x.mean(2, 3).reshape(x.dim(0), x.dim(1), 1, 1);
    }
}
