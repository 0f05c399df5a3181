package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Second moments in which each place counts with the squared length of the other side: P = E[sum over places of |g|^2 a a^T]
 * and Q = E[sum of |a|^2 g g^T] (Gao et al., A trace-restricted Kronecker-factored approximation to natural gradient, 2021).
 * Both have the trace delta of the Fisher block (places taken as samples), and so has P (x) Q / delta.
 *
 * <p>A table that is looked up and also makes the logits adds up what both uses give, which keeps the trace.
 */
public final class WeightedMoments {
    /** The elements of patches that may be made at a time. */
    private static final long CHUNK = 1 << 24;

    private WeightedMoments() {}

    /** P, of an embedding its diagonal, and Q of any layer but a norm, in the shapes of {@link Moments#of}. */
    public static Moments.Pair of(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        List<Value> ps = new ArrayList<>(), qs = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            for (Capture capture : layer.captures()) {
                Moments.Pair sums = sums(layer, capture, draw.gradients().get(capture));
                ps.add(sums.inputs().reshape(Moments.inputShape(layer)).mul(draw.weight()));
                qs.add(sums.outputs().reshape(Moments.outputShape(layer)).mul(draw.weight()));
            }
        }
        Graph graph = layer.graph();
        return new Moments.Pair(
                graph.sum(ps).div(gradients.samples()), graph.sum(qs).div(gradients.samples()));
    }

    private static Moments.Pair sums(LayerMatrix layer, Capture capture, Value g) {
        return switch (capture) {
            case Capture.Embedding c -> lookups(layer, c, g);
            case Capture.Linear c
            when layer.kind() == LayerMatrix.Kind.EMBEDDING -> logits(c.matrix(c.a()), c.matrix(g));
            case Capture.Linear c -> {
                Value rows = ones(layer, c.matrix(c.a()).reshape(1, c.rows(), c.a().dim(-1)));
                yield product(rows, c.matrix(g).reshape(1, c.rows(), layer.outputs()));
            }
            case Capture.Conv2d c -> windows(layer, c, g);
            default ->
                throw new KingfisherException("The layer of " + layer.path() + " (" + layer.kind()
                        + ") has no weighted moments; give it to the rule for other layers.");
        };
    }

    /** The sums over places of |g|^2 a a^T and |a|^2 g g^T for a [groups x places x I] and g [groups x places x O]. */
    private static Moments.Pair product(Value a, Value g) {
        return new Moments.Pair(
                a.mul(squares(g)).matmul(a, true, false), g.mul(squares(a)).matmul(g, true, false));
    }

    /** The squared length of each row, as a column. */
    private static Value squares(Value rows) {
        Value sums = rows.square().sum(-1);
        return sums.reshape(sums.shape().concat(Shape.of(1)));
    }

    /** Rows with a last 1 where the layer has a bias. */
    private static Value ones(LayerMatrix layer, Value rows) {
        return layer.homogeneous()
                ? rows.graph()
                        .concat(
                                -1,
                                List.of(
                                        rows,
                                        rows.graph()
                                                .ones(DType.F32, rows.shape().with(-1, 1))))
                : rows;
    }

    /** Inputs are one-hot and of length 1. */
    private static Moments.Pair lookups(LayerMatrix layer, Capture.Embedding c, Value g) {
        long tokens = c.a().shape().elements();
        Value rows = g.reshape(tokens, layer.outputs());
        Value p = g.graph()
                .add(
                        new ScatterAdd(layer.inputs()),
                        c.a().reshape(tokens),
                        rows.square().sum(1))
                .output(0);
        return new Moments.Pair(p, rows.matmul(rows, true, false));
    }

    /** Seen from the table, features are outputs and words inputs, of whose moments the diagonal is kept. */
    private static Moments.Pair logits(Value features, Value words) {
        Value weighted = words.square().mul(squares(features));
        return new Moments.Pair(weighted.sum(0), features.mul(squares(words)).matmul(features, true, false));
    }

    private static Moments.Pair windows(LayerMatrix layer, Capture.Conv2d c, Value g) {
        long samples = g.dim(0), places = g.dim(2) * g.dim(3), groups = layer.groups();
        long step = Math.max(1, CHUNK / Math.max(1, groups * places * layer.inputs()));
        Moments.Pair total = null;
        for (long from = 0; from < samples; from += step) {
            long to = Math.min(from + step, samples);
            Value seen = ones(layer, Windows.of(c, c.a().slice(0, from, to)));
            Value own = g.slice(0, from, to)
                    .reshape(to - from, groups, layer.outputs(), places)
                    .t();
            Moments.Pair part = product(byGroup(seen), byGroup(own));
            total = total == null
                    ? part
                    : new Moments.Pair(
                            total.inputs().add(part.inputs()), total.outputs().add(part.outputs()));
        }
        return total;
    }

    /** Rows [N x groups x T x I] as [groups x N T x I]. */
    private static Value byGroup(Value rows) {
        return rows.transpose(1, 0, 2, 3).reshape(rows.dim(1), rows.dim(0) * rows.dim(2), rows.dim(3));
    }
}
