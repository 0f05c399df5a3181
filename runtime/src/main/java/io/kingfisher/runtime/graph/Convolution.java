package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;

/**
 * How a two-dimensional convolution moves its window: the same along both axes unless said otherwise. Images are
 * [N x C x H x W], weights [O x C/groups x KH x KW].
 */
public record Convolution(
        int strideH, int strideW, int paddingH, int paddingW, int dilationH, int dilationW, int groups) {
    public Convolution {
        if (strideH < 1
                || strideW < 1
                || paddingH < 0
                || paddingW < 0
                || dilationH < 1
                || dilationW < 1
                || groups < 1) {
            throw new KingfisherException(
                    "A convolution needs strides, dilations and groups of at least 1 and paddings of"
                            + " at least 0; got strides " + strideH + ", " + strideW + ", paddings " + paddingH + ", "
                            + paddingW
                            + ", dilations " + dilationH + ", " + dilationW + ", groups " + groups + ".");
        }
    }

    public static Convolution of(int stride, int padding, int dilation, int groups) {
        return new Convolution(stride, stride, padding, padding, dilation, dilation, groups);
    }

    /** The extent that a window of {@code kernel} cells makes of {@code in} along one axis. */
    static long extent(long in, long kernel, int stride, int padding, int dilation) {
        return Math.floorDiv(in + 2L * padding - dilation * (kernel - 1) - 1, stride) + 1;
    }

    /** The types of two operands agree, or there is an error. */
    static void check(List<Type> inputs) {
        if (!Type.oneFloating(inputs)) {
            throw new KingfisherException(
                    "A convolution takes operands of one floating type, not " + inputs + "; cast one of them.");
        }
    }

    /** The shape of the output for an image and a weight. */
    public Shape output(Shape x, Shape w) {
        boolean fits = x.rank() == 4
                && w.rank() == 4
                && x.dim(1) == w.dim(1) * groups
                && w.dim(0) % groups == 0
                && w.dim(2) > 0
                && w.dim(3) > 0;
        if (fits) {
            long h = extent(x.dim(2), w.dim(2), strideH, paddingH, dilationH);
            long v = extent(x.dim(3), w.dim(3), strideW, paddingW, dilationW);
            if (h > 0 && v > 0) {
                return Shape.of(x.dim(0), w.dim(0), h, v);
            }
        }
        throw new KingfisherException("Cannot convolve an image " + x + " with a weight " + w + " (" + this
                + "): images are [N x C x H x W], weights [O x C/groups x KH x KW], O is a multiple of the groups, and the"
                + " window must fit into the padded image.");
    }
}
