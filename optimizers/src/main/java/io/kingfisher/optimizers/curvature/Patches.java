package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Sums over the patches of a convolution's input. Of many channels they are made without the matrix of all patches, which takes
 * KH x KW times the memory of the image: what one entry of every patch sees is an image as large as the output, and its
 * products with all entries of the patches are a weight gradient. Of few channels such a gradient is a poor product, and the
 * matrix small: then it is made, by a convolution whose kernels are the columns of the identity.
 */
final class Patches {
    /** More channels than this, in a group, fill the vectors of a weight gradient. */
    private static final long FEW_CHANNELS = 16;

    /** The largest matrix of patches that is made, in bytes. */
    private static final long WORKSPACE = 64 << 20;

    private Patches() {}

    /** The sum over batch and windows of patch patch^T [groups x I x I], I = C/groups x KH x KW. */
    static Value products(Capture.Conv2d c) {
        Shape w = c.weight().shape(), s = c.s().shape();
        long bytes = 4L * c.window().groups() * (w.elements() / w.dim(0)) * s.dim(0) * s.dim(2) * s.dim(3);
        return w.dim(1) <= FEW_CHANNELS && bytes <= WORKSPACE ? byMatrix(c) : byPlaces(c);
    }

    /** The products of all patches as one matrix [N x groups I x H' x W']. */
    static Value byMatrix(Capture.Conv2d c) {
        Shape w = c.weight().shape();
        int groups = c.window().groups();
        long entries = w.elements() / w.dim(0);
        Graph graph = c.a().graph();
        Value kernels = Matrices.identity(graph, entries, DType.F32)
                .reshape(1, entries, entries)
                .broadcastTo(Shape.of(groups, entries, entries))
                .reshape(groups * entries, w.dim(1), w.dim(2), w.dim(3));
        Value patches = graph.add(new Conv2d(c.window()), c.a(), kernels).output(0);
        return Moments.channels(patches, groups).reshape(groups, entries, entries);
    }

    /** The products of what each place of the kernel sees with all patches. */
    static Value byPlaces(Capture.Conv2d c) {
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
        Shape w = c.weight().shape();
        return windows(c, c.a().sum(0)).reshape(c.window().groups(), w.elements() / w.dim(0));
    }

    /** The sums over windows of the patches of each image [N x groups x I]. */
    static Value perImage(Capture.Conv2d c) {
        Shape w = c.weight().shape();
        return windows(c, c.a()).reshape(c.a().dim(0), c.window().groups(), w.elements() / w.dim(0));
    }

    /**
     * What each place of a kernel sees in planes [... x H x W], added up over all windows, as [... x KH KW]: products with
     * the matrices that count how often a place meets a column, and then a row.
     */
    private static Value windows(Capture.Conv2d c, Value planes) {
        Graph graph = planes.graph();
        Shape w = c.weight().shape(), s = c.s().shape();
        Convolution g = c.window();
        int kh = Math.toIntExact(w.dim(2)), kw = Math.toIntExact(w.dim(3));
        int height = Math.toIntExact(c.a().dim(2)), width = Math.toIntExact(c.a().dim(3));
        double[] columns = new double[width * kw], rows = new double[height * kw * kh * kw];
        for (int k = 0; k < kw; k++) {
            for (int q = 0; q < s.dim(3); q++) {
                int x = q * g.strideW() + k * g.dilationW() - g.paddingW();
                if (x >= 0 && x < width) {
                    columns[x * kw + k]++;
                }
            }
        }
        for (int k = 0; k < kh; k++) {
            for (int p = 0; p < s.dim(2); p++) {
                int y = p * g.strideH() + k * g.dilationH() - g.paddingH();
                for (int j = 0; y >= 0 && y < height && j < kw; j++) {
                    rows[(y * kw + j) * kh * kw + k * kw + j]++;
                }
            }
        }
        Value narrow = planes.reshape(-1, width).matmul(graph.constant(DType.F32, Shape.of(width, kw), columns));
        return narrow.reshape(-1, (long) height * kw)
                .matmul(graph.constant(DType.F32, Shape.of((long) height * kw, (long) kh * kw), rows));
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
