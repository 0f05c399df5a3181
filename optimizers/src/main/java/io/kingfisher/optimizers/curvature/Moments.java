package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The second moments of a layer's inputs and of its outputs' gradients, from which F = A (x) G is made with every place at
 * which the layer is applied (pixel, token) as a sample of its own: A = the mean over places of a a^T, G = the mean over
 * samples of the sum over places of g g^T (Martens and Grosse, 2015, equation 16; Grosse and Martens, 2016, equation 25, whose
 * Omega is A times the number of places and Gamma is G divided by it).
 */
public final class Moments {
    private Moments() {}

    /**
     * Both factors of a layer that has two.
     *
     * @param inputs A [groups x inputs x inputs]; of an embedding its diagonal [inputs]
     * @param outputs G [groups x outputs x outputs]
     */
    public record Pair(Value inputs, Value outputs) {}

    /** The shape of A: [groups x inputs x inputs], of an embedding [inputs]. */
    public static Shape inputShape(LayerMatrix layer) {
        return layer.kind() == LayerMatrix.Kind.EMBEDDING
                ? Shape.of(layer.inputs())
                : Shape.of(layer.groups(), layer.inputs(), layer.inputs());
    }

    /** The shape of G: [groups x outputs x outputs]. */
    public static Shape outputShape(LayerMatrix layer) {
        return Shape.of(layer.groups(), layer.outputs(), layer.outputs());
    }

    /**
     * A and G of any layer but a norm. A table that is looked up and also makes the logits has a block that is the sum of two
     * products, A1 (x) G1 + A2 (x) G2; the one product given for it has the same partial traces.
     */
    public static Pair of(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        LayerMatrix lookups = layer.only(Capture.Embedding.class), logits = layer.only(Capture.Linear.class);
        if (layer.kind() != LayerMatrix.Kind.EMBEDDING || logits.captures().isEmpty()) {
            return new Pair(inputs(layer), outputs(layer, gradients, draws));
        }
        Value a1 = inputs(lookups), g1 = outputs(lookups, gradients, draws);
        Value a2 = vocabulary(logits, gradients, draws), g2 = features(logits);
        Value traceA1 = a1.sum(), traceG1 = Matrices.trace(g1), traceA2 = a2.sum(), traceG2 = Matrices.trace(g2);
        Expr sum = Expr.arg(0).mul(Expr.arg(1)).add(Expr.arg(2).mul(Expr.arg(3)));
        Expr share = Expr.select(Expr.of(0).lessThan(Expr.arg(4)), sum.div(Expr.arg(4)), Expr.of(0));
        Graph graph = layer.graph();
        Value one = traceG1.reshape(Shape.of(1)), other = traceG2.reshape(Shape.of(1));
        Value total = graph.map(sum, traceA1, one, traceA2, other);
        return new Pair(
                graph.map(sum, a1, one, a2, other), graph.map(share, g1, traceA1, g2, traceA2, total.reshape(1, 1, 1)));
    }

    /** The diagonal [inputs] of the second moment of the logits' gradients, for a table that makes them. */
    private static Value vocabulary(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        List<Value> parts = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            for (Capture capture : layer.captures()) {
                Value g = draw.gradients().get(capture);
                Value rows = g.reshape(g.shape().elements() / layer.inputs(), layer.inputs());
                Value part = rows.square().sum(0).mul(draw.weight());
                parts.add(part);
            }
        }
        return layer.graph().sum(parts).div(gradients.samples());
    }

    /** The second moment [1 x outputs x outputs] of what a table meets that makes logits. */
    public static Value features(LayerMatrix layer) {
        List<Value> parts = new ArrayList<>();
        double places = 0;
        for (Capture capture : layer.captures()) {
            Capture.Linear c = (Capture.Linear) capture;
            Value a = c.matrix(c.a()), part = a.matmul(a, true, false);
            parts.add(part);
            places += c.rows();
        }
        return layer.graph()
                .sum(parts)
                .reshape(1, layer.outputs(), layer.outputs())
                .mul(1 / places);
    }

    /**
     * A of a linear layer, a convolution or a norm layer (whose input is the normalised one) [groups x inputs x inputs]; of an
     * embedding its diagonal [inputs], the frequency of each token.
     */
    public static Value inputs(LayerMatrix layer) {
        List<Value> parts = new ArrayList<>();
        double places = 0;
        for (Capture capture : layer.captures()) {
            Value part;
            switch (capture) {
                case Capture.Linear c -> {
                    Value a = c.matrix(c.a());
                    part = bordered(layer, a.matmul(a, true, false), a.sum(0), c.rows());
                    places += c.rows();
                }
                case Capture.Conv2d c -> {
                    Shape s = c.s().shape();
                    double windows = (double) s.dim(0) * s.dim(2) * s.dim(3);
                    part = bordered(layer, Patches.products(c), Patches.sum(c), windows);
                    places += windows;
                }
                case Capture.Embedding c -> {
                    part = Means.counts(c, layer.inputs());
                    places += c.a().shape().elements();
                }
                case Capture.BatchNorm2d c -> {
                    double own = (double) c.s().shape().elements() / layer.groups();
                    part = normal(layer, c.normalized(), own, 0, 2, 3);
                    places += own;
                }
                case Capture.LayerNorm c -> {
                    double own = (double) c.s().shape().elements() / layer.groups();
                    part = normal(layer, c.normalized().reshape(-1, layer.groups()), own, 0);
                    places += own;
                }
            }
            parts.add(part);
        }
        return layer.graph().sum(parts).mul(1 / places);
    }

    /** The sum over places of the second moments of each channel's normalised input and, with a shift, of 1. */
    private static Value normal(LayerMatrix layer, Value normalized, double places, int... axes) {
        Shape column = Shape.of(layer.groups(), 1, 1);
        return bordered(layer, normalized.square().sum(axes).reshape(column), normalized.sum(axes), places);
    }

    /** G of a linear layer, an embedding or a convolution [groups x outputs x outputs]. */
    private static Value outputs(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        List<Value> parts = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            for (Capture capture : layer.captures()) {
                Value g = draw.gradients().get(capture);
                Value part = switch (capture) {
                    case Capture.Linear _, Capture.Embedding _ -> {
                        Value rows = g.reshape(g.shape().elements() / layer.outputs(), layer.outputs());
                        yield rows.matmul(rows, true, false);
                    }
                    case Capture.Conv2d c -> channels(g, c.window().groups());
                    default -> throw none(layer);
                };
                Value scaled = part.reshape(layer.groups(), layer.outputs(), layer.outputs())
                        .mul(draw.weight());
                parts.add(scaled);
            }
        }
        return layer.graph().sum(parts).div(gradients.samples());
    }

    /** The sum over batch and pixels of g g^T for each group: the weight gradient of a 1x1 kernel, which copies nothing. */
    static Value channels(Value g, int groups) {
        Convolution one = new Convolution(1, 1, 0, 0, 1, 1, groups);
        Shape kernel = Shape.of(g.dim(1), g.dim(1) / groups, 1, 1);
        return g.graph().add(new Conv2dWeightGrad(one, kernel), g, g).output(0);
    }

    /** With a bias, the products with its constant input 1 as a last row and column. */
    private static Value bordered(LayerMatrix layer, Value products, Value sum, double places) {
        Graph graph = products.graph();
        long columns = layer.inputs() - (layer.homogeneous() ? 1 : 0);
        Value body = products.reshape(layer.groups(), columns, columns);
        if (!layer.homogeneous()) {
            return body;
        }
        Value right = sum.reshape(layer.groups(), columns, 1), below = sum.reshape(layer.groups(), 1, columns);
        Value corner = graph.fill(places, DType.F32, Shape.of(layer.groups(), 1, 1));
        return graph.concat(1, List.of(graph.concat(2, List.of(body, right)), graph.concat(2, List.of(below, corner))));
    }

    /**
     * The exact Fisher blocks of a norm layer, [groups x inputs x inputs], a block for each channel (Osawa et al., 2020,
     * section 4.2): samples of a batch norm are images, of a layer norm rows.
     */
    public static Value norm(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        List<Value> parts = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            for (Capture capture : layer.captures()) {
                Value g = draw.gradients().get(capture);
                Value scale, shift;
                switch (capture) {
                    case Capture.BatchNorm2d c -> {
                        scale = g.mul(c.normalized()).sum(2, 3);
                        shift = g.sum(2, 3);
                    }
                    case Capture.LayerNorm c -> {
                        Shape rows = Shape.of(g.shape().elements() / layer.groups(), layer.groups());
                        scale = g.mul(c.normalized()).reshape(rows);
                        shift = g.reshape(rows);
                    }
                    default -> throw none(layer);
                }
                Value part = block(layer, scale, shift).mul(draw.weight());
                parts.add(part);
            }
        }
        return layer.graph().sum(parts).div(gradients.samples());
    }

    /** The sums over rows of the products of two gradients [rows x channels] as blocks [channels x inputs x inputs]. */
    private static Value block(LayerMatrix layer, Value scale, Value shift) {
        Expr product = Expr.arg(0).mul(Expr.arg(1));
        Graph graph = scale.graph();
        Value own = graph.map(product, scale, scale).sum(0).reshape(layer.groups(), 1, 1);
        if (!layer.homogeneous()) {
            return own;
        }
        Value mixed = graph.map(product, scale, shift).sum(0).reshape(layer.groups(), 1, 1);
        Value other = graph.map(product, shift, shift).sum(0).reshape(layer.groups(), 1, 1);
        return graph.concat(1, List.of(graph.concat(2, List.of(own, mixed)), graph.concat(2, List.of(mixed, other))));
    }

    private static KingfisherException none(LayerMatrix layer) {
        return new KingfisherException("The layer of " + layer.path() + " (" + layer.kind()
                + ") has no moments of this kind; give it to the rule for other layers.");
    }
}
