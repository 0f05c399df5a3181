package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The raw diagonals of a layer's Kronecker factors from what its captures saw: H = E[a^2] over rows, S = E[ds^2]. Gradients
 * are those of the mean loss as they come; all uses of them are free of scale but the published code's smallest constant.
 */
final class Statistics {
    /** Sums over the rows of one capture or of all. */
    private record Sums(Value input, Value output, double rows) {
        Sums add(Sums other) {
            return new Sums(input.add(other.input), output.add(other.output), rows + other.rows);
        }
    }

    private Statistics() {}

    /**
     * The diagonals of the captures of one weight, in the order in which {@link LayerCurvature} keeps them: H (the weight's
     * part and the bias's) and S; or for a norm layer that is not taken as released its scale's and its shift's.
     */
    static List<List<Value>> of(List<Capture> captures, Gradients gradients, boolean released) {
        if (!released && gradients.count().isPresent()) {
            // ds is the gradient of the mean; the Fisher matrix is made of those of single terms.
            Value square = gradients.count().get().square();
            List<List<Value>> result = new ArrayList<>();
            for (List<Value> diagonal : raw(captures, gradients, false)) {
                boolean input = diagonal.size() > 1;
                result.add(input ? diagonal : List.of(diagonal.get(0).mul(square)));
            }
            return result;
        }
        return raw(captures, gradients, released);
    }

    private static List<List<Value>> raw(List<Capture> captures, Gradients gradients, boolean released) {
        return switch (captures.get(0)) {
            case Capture.Linear _, Capture.Embedding _ -> matrix(captures, gradients);
            case Capture.Conv2d c -> convolution(c, captures, gradients, released);
            case Capture.BatchNorm2d _ ->
                released ? releasedBatchNorm(captures, gradients) : exactNorm(captures, gradients);
            case Capture.LayerNorm _ ->
                released ? releasedLayerNorm(captures, gradients) : exactNorm(captures, gradients);
        };
    }

    /** A tied embedding and output share the table: what one calls inputs are the other's outputs. */
    private static List<List<Value>> matrix(List<Capture> captures, Gradients gradients) {
        Sums total = null;
        for (Capture capture : captures) {
            Value ds = gradients.of(capture);
            Sums sums = switch (capture) {
                case Capture.Linear c -> {
                    Value a = c.matrix(c.a()), g = c.matrix(ds);
                    yield new Sums(a.square().sum(0), g.square().sum(0), c.rows());
                }
                case Capture.Embedding c -> {
                    long tokens = c.a().shape().elements(),
                            width = c.weight().shape().dim(1);
                    Value counts = c.a().graph()
                            .add(
                                    new ScatterAdd(c.weight().shape().dim(0)),
                                    c.a().reshape(tokens),
                                    c.a().graph().ones(DType.F32, Shape.of(tokens)))
                            .output(0);
                    yield new Sums(ds.reshape(tokens, width).square().sum(0), counts, tokens);
                }
                default -> throw new AssertionError(capture);
            };
            total = total == null ? sums : total.add(sums);
        }
        return mean(total, 1);
    }

    private static List<List<Value>> mean(Sums sums, double divisor) {
        Graph graph = sums.input().graph();
        Value h = sums.input().mul(1 / (sums.rows() * divisor));
        Value constant = graph.fill(1 / divisor, DType.F32, Shape.of(1));
        return List.of(List.of(h, constant), List.of(sums.output().mul(1 / sums.rows())));
    }

    /**
     * No patch is taken out of the image: the squares are summed over the batch into one map [C x H x W], and each place of
     * the window sees a box of it, which is what a depthwise weight gradient with ones for dy adds up.
     */
    private static List<List<Value>> convolution(
            Capture.Conv2d first, List<Capture> captures, Gradients gradients, boolean released) {
        Shape w = first.weight().shape();
        long groups = first.window().groups(), channels = w.dim(1) * groups;
        Sums total = null;
        for (Capture capture : captures) {
            Capture.Conv2d c = (Capture.Conv2d) capture;
            Value energy = c.a().square().reduce(io.kingfisher.runtime.graph.Reduce.Kind.SUM, true, 0);
            Shape s = c.s().shape();
            Value ones = energy.graph().ones(DType.F32, Shape.of(1, channels, s.dim(2), s.dim(3)));
            Convolution g = c.window();
            Convolution depthwise = new Convolution(
                    g.strideH(),
                    g.strideW(),
                    g.paddingH(),
                    g.paddingW(),
                    g.dilationH(),
                    g.dilationW(),
                    Math.toIntExact(channels));
            Value patches = energy.graph()
                    .add(new Conv2dWeightGrad(depthwise, Shape.of(channels, 1, w.dim(2), w.dim(3))), energy, ones)
                    .output(0)
                    .reshape(groups, w.dim(1), w.dim(2), w.dim(3));
            if (released) {
                // The published code lets all groups share one factor.
                patches = patches.mean(0);
            }
            Sums sums =
                    new Sums(patches, gradients.of(c).square().sum(0, 2, 3), (double) s.dim(0) * s.dim(2) * s.dim(3));
            total = total == null ? sums : total.add(sums);
        }
        // The published code divides by the size of a patch as well.
        return mean(total, released ? w.dim(1) * w.dim(2) * w.dim(3) : 1);
    }

    /** The published code's two numbers for scale and shift, and the square of each channel's summed gradient. */
    private static List<List<Value>> releasedBatchNorm(List<Capture> captures, Gradients gradients) {
        Value inputs = null, outputs = null;
        double batch = 0;
        for (Capture c : captures) {
            double places = (double) c.a().dim(2) * c.a().dim(3);
            Value u = c.a().sum(0, 2, 3).mul(1 / (places * places));
            Value ds = gradients.of(c).sum(0, 2, 3);
            inputs = inputs == null ? u : inputs.add(u);
            outputs = outputs == null ? ds : outputs.add(ds);
            batch += c.a().dim(0);
        }
        return released(inputs, outputs, batch);
    }

    /** As for batch norm, where the second axis (positions, if there are any) takes the part of the channels. */
    private static List<List<Value>> releasedLayerNorm(List<Capture> captures, Gradients gradients) {
        Value inputs = null, outputs = null;
        double batch = 0;
        for (Capture c : captures) {
            int rank = c.a().rank();
            int[] others = IntStream.range(0, rank).filter(i -> i != 1).toArray();
            int[] leading = IntStream.range(0, rank - 1).toArray();
            double size =
                    IntStream.range(2, rank).mapToDouble(i -> c.a().dim(i)).reduce(1, (x, y) -> x * y);
            Value u = c.a().sum(others).mul(1 / (size * size));
            Value ds = gradients.of(c).sum(leading);
            inputs = inputs == null ? u : inputs.add(u);
            outputs = outputs == null ? ds : outputs.add(ds);
            batch += c.a().dim(0);
        }
        return released(inputs, outputs, batch);
    }

    private static List<List<Value>> released(Value inputs, Value outputs, double batch) {
        double square = batch * batch;
        Value scale = inputs.square().sum().mul(1 / square).reshape(1);
        Value shift = inputs.graph().fill(inputs.shape().elements() / square, DType.F32, Shape.of(1));
        return List.of(List.of(scale, shift), List.of(outputs.square().mul(1 / batch)));
    }

    /** E over samples of (sum over places of the normalised input times ds)^2, and of (sum of ds)^2: the exact diagonal. */
    private static List<List<Value>> exactNorm(List<Capture> captures, Gradients gradients) {
        List<Value> scales = new ArrayList<>(), shifts = new ArrayList<>();
        double batch = 0;
        for (Capture capture : captures) {
            Value ds = gradients.of(capture);
            Value normal;
            int[] places;
            switch (capture) {
                case Capture.BatchNorm2d c -> {
                    normal = c.normalized();
                    places = new int[] {2, 3};
                }
                case Capture.LayerNorm c -> {
                    normal = c.normalized();
                    places = IntStream.range(1, c.a().rank() - 1).toArray();
                }
                default -> throw new AssertionError(capture);
            }
            scales.add(perSample(normal.mul(ds), places).square().sum(0));
            shifts.add(perSample(ds, places).square().sum(0));
            batch += ds.dim(0);
        }
        Graph graph = scales.get(0).graph();
        return List.of(
                List.of(graph.sum(scales).mul(1 / batch)),
                List.of(graph.sum(shifts).mul(1 / batch)));
    }

    private static Value perSample(Value x, int[] places) {
        return places.length == 0 ? x : x.sum(places);
    }
}
