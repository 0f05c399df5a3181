package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The raw diagonals of batch norm and layer norm. */
final class NormStatistics {
    private NormStatistics() {}

    /**
     * What the published code reduces to: H of two numbers, one for the scale and one for the shift, and S the square of each
     * channel's summed gradient.
     */
    static List<List<Value>> released(List<Capture> captures, Gradients gradients) {
        List<Value> inputs = new ArrayList<>(), outputs = new ArrayList<>();
        double batch = 0;
        for (Capture capture : captures) {
            Value a = rows(capture.a()), ds = rows(gradients.of(capture));
            // The second axis counts as channels, in layer norm too: there it is that of the positions, if there are
            // any.
            int[] others = IntStream.range(0, a.rank()).filter(i -> i != 1).toArray();
            double size = a.shape().slice(2, a.rank()).elements();
            inputs.add(a.sum(others).mul(1 / (size * size)));
            outputs.add(
                    capture instanceof Capture.BatchNorm2d
                            ? ds.sum(others)
                            : ds.sum(IntStream.range(0, ds.rank() - 1).toArray()));
            batch += a.dim(0);
        }
        Graph graph = inputs.get(0).graph();
        Value u = graph.sum(inputs), s = graph.sum(outputs);
        double square = batch * batch;
        Value scale = u.square().sum().mul(1 / square).reshape(1);
        Value shift = graph.fill(u.shape().elements() / square, DType.F32, Shape.of(1));
        return List.of(List.of(scale, shift), List.of(s.square().mul(1 / batch)));
    }

    /** E over samples of (sum over places of the normalised input times ds)^2, and of (sum of ds)^2: the exact diagonal. */
    static List<Value> exact(List<Capture> captures, Gradients gradients) {
        List<Value> scales = new ArrayList<>(), shifts = new ArrayList<>();
        double batch = 0;
        for (Capture capture : captures) {
            Value ds = rows(gradients.of(capture));
            Value normal = rows(
                    switch (capture) {
                        case Capture.BatchNorm2d c -> c.normalized();
                        case Capture.LayerNorm c -> c.normalized();
                        default -> throw new AssertionError(capture);
                    });
            int[] places = capture instanceof Capture.BatchNorm2d
                    ? new int[] {2, 3}
                    : IntStream.range(1, ds.rank() - 1).toArray();
            scales.add(perSample(normal.mul(ds), places).square().sum(0));
            shifts.add(perSample(ds, places).square().sum(0));
            batch += ds.dim(0);
        }
        Graph graph = scales.get(0).graph();
        return List.of(graph.sum(scales).mul(1 / batch), graph.sum(shifts).mul(1 / batch));
    }

    /** A single row, as layer norm also takes it, with its axis for the batch. */
    private static Value rows(Value x) {
        return x.rank() == 1 ? x.reshape(1, -1) : x;
    }

    private static Value perSample(Value x, int[] places) {
        return places.length == 0 ? x : x.sum(places);
    }
}
