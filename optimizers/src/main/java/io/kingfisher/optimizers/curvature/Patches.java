package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Sums over the patches of a convolution's input without the matrix of all patches, which takes KH x KW times the memory of
 * the image: what one entry of every patch sees is an image as large as the output, and its products with all entries of
 * the patches are a weight gradient.
 */
final class Patches {
    private Patches() {}

    /** The sum over batch and windows of patch patch^T [groups x I x I], I = C/groups x KH x KW. */
    static Value products(Capture.Conv2d c) {
        Shape w = c.weight().shape();
        int groups = c.window().groups();
        long channels = w.dim(1), area = w.dim(2) * w.dim(3), entries = channels * area;
        // A row of the result for each channel: the weight gradient for outputs that are the inputs at one place.
        Shape row = Shape.of(channels * groups, channels, w.dim(2), w.dim(3));
        List<Value> places = new ArrayList<>();
        for (int place = 0; place < area; place++) {
            Value seen = seen(c, place);
            places.add(c.a().graph()
                    .add(new Conv2dWeightGrad(c.window(), row), c.a(), seen)
                    .output(0)
                    .reshape(groups, channels, 1, entries));
        }
        return c.a().graph().concat(2, places).reshape(groups, entries, entries);
    }

    /** The sum over batch and windows of the patches [groups x I]. */
    static Value sum(Capture.Conv2d c) {
        Shape w = c.weight().shape(), s = c.s().shape();
        Value image = c.a().reduce(Reduce.Kind.SUM, true, 0);
        long channels = image.dim(1);
        Value ones = image.graph().ones(DType.F32, Shape.of(1, channels, s.dim(2), s.dim(3)));
        Shape kernel = Shape.of(channels, 1, w.dim(2), w.dim(3));
        return image.graph()
                .add(new Conv2dWeightGrad(depthwise(c), kernel), image, ones)
                .output(0)
                .reshape(c.window().groups(), w.elements() / w.dim(0));
    }

    /** What one place of every window sees, [N x C x H' x W']: each channel convolved with a kernel that has a single 1. */
    private static Value seen(Capture.Conv2d c, int place) {
        Graph graph = c.a().graph();
        Shape w = c.weight().shape();
        int area = Math.toIntExact(w.dim(2) * w.dim(3));
        long channels = c.a().dim(1);
        Value kernel = graph.iota(DType.I32, area)
                .map(Expr.arg(0).equalTo(Expr.of(place)))
                .cast(DType.F32)
                .reshape(1, 1, w.dim(2), w.dim(3))
                .broadcastTo(Shape.of(channels, 1, w.dim(2), w.dim(3)));
        return graph.add(new Conv2d(depthwise(c)), c.a(), kernel).output(0);
    }

    private static Convolution depthwise(Capture.Conv2d c) {
        Convolution g = c.window();
        return new Convolution(
                g.strideH(),
                g.strideW(),
                g.paddingH(),
                g.paddingW(),
                g.dilationH(),
                g.dilationW(),
                Math.toIntExact(c.a().dim(1)));
    }
}
