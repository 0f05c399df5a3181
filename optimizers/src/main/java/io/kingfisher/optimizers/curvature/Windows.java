package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;

/** What the windows of a convolution see, sample by sample. */
final class Windows {
    private Windows() {}

    /**
     * The patches of images [N x C x H x W] as [N x groups x T x I], T windows and I = C/groups x KH x KW entries in the order
     * of the kernel's: a convolution of each channel with all kernels that have a single 1.
     */
    static Value of(Capture.Conv2d c, Value images) {
        Shape w = c.weight().shape(), s = c.s().shape();
        long channels = images.dim(1), area = w.dim(2) * w.dim(3), places = s.dim(2) * s.dim(3);
        int groups = c.window().groups();
        Value kernels = Matrices.identity(images.graph(), area, DType.F32)
                .reshape(1, area, 1, w.dim(2), w.dim(3))
                .broadcastTo(Shape.of(channels, area, 1, w.dim(2), w.dim(3)))
                .reshape(channels * area, 1, w.dim(2), w.dim(3));
        Value seen = images.graph()
                .add(new Conv2d(eachChannel(c.window(), channels)), images, kernels)
                .output(0);
        return seen.reshape(images.dim(0), groups, channels / groups * area, places)
                .t();
    }

    /** As {@code window}, with a group for each channel. */
    static Convolution eachChannel(Convolution window, long channels) {
        return new Convolution(
                window.strideH(),
                window.strideW(),
                window.paddingH(),
                window.paddingW(),
                window.dilationH(),
                window.dilationW(),
                Math.toIntExact(channels));
    }
}
