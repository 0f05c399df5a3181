package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The factors of a batch as rows U with A = U^T U, G likewise, for the training labels. Each row of a linear layer is a sample,
 * which gives the A and G of {@link Moments}; of a convolution each image is, its patches averaged and its gradients added up.
 */
public final class FactorRows {
    private FactorRows() {}

    /** The number of rows of both factors. */
    public static long count(LayerMatrix layer) {
        return layer.captures().stream().mapToLong(FactorRows::count).sum();
    }

    private static long count(Capture capture) {
        return switch (capture) {
            case Capture.Linear c -> c.rows();
            case Capture.Conv2d c -> c.a().dim(0);
            default -> throw none(capture);
        };
    }

    /** The rows of A [groups x count x inputs]. */
    public static Value inputs(LayerMatrix layer) {
        List<Value> parts = new ArrayList<>();
        for (Capture capture : layer.captures()) {
            long rows = count(capture);
            Value part = switch (capture) {
                case Capture.Linear c -> c.matrix(c.a()).reshape(1, rows, c.a().dim(-1));
                case Capture.Conv2d c -> {
                    Shape s = c.s().shape();
                    yield Patches.perImage(c).transpose(1, 0, 2).mul(1.0 / (s.dim(2) * s.dim(3)));
                }
                default -> throw none(capture);
            };
            Graph graph = layer.graph();
            parts.add(
                    layer.homogeneous()
                            ? graph.concat(
                                    2,
                                    List.of(
                                            part,
                                            graph.ones(DType.F32, part.shape().with(2, 1))))
                            : part);
        }
        return layer.graph().concat(1, parts).mul(1 / Math.sqrt(count(layer)));
    }

    /** The rows of G [groups x count x outputs]. */
    public static Value outputs(LayerMatrix layer, Gradients gradients) {
        List<Value> parts = new ArrayList<>();
        for (Capture capture : layer.captures()) {
            Value ds = gradients.of(capture);
            long rows = count(capture);
            parts.add(
                    switch (capture) {
                        case Capture.Linear _ -> ds.reshape(1, rows, layer.outputs());
                        case Capture.Conv2d _ ->
                            ds.sum(2, 3)
                                    .reshape(rows, layer.groups(), layer.outputs())
                                    .transpose(1, 0, 2);
                        default -> throw none(capture);
                    });
        }
        // A sample's own gradient is that of the mean times the number of samples; G is the mean over them.
        return layer.graph().concat(1, parts).mul(gradients.samples().sqrt());
    }

    private static KingfisherException none(Capture capture) {
        return new KingfisherException("The layer of " + capture.weight().path()
                + " has no factors of rows; give it to the rule for other layers.");
    }
}
