package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * The raw diagonals of a layer's Kronecker factors from what its captures saw: H = E[a^2] and S = E[ds^2] over rows, that is
 * over samples and positions. As released, ds is the gradient of the mean loss; else that of a single term of it.
 */
final class Statistics {
    private final Gradients gradients;
    private final boolean released;

    /** Sums over the rows of one capture or of several. */
    private record Sums(Value input, Value output, double rows) {
        static Sums add(Sums one, Sums other) {
            return one == null
                    ? other
                    : new Sums(one.input.add(other.input), one.output.add(other.output), one.rows + other.rows);
        }

        Value h() {
            return input.mul(1 / rows);
        }

        Value s() {
            return output.mul(1 / rows);
        }
    }

    private Statistics(Gradients gradients, boolean released) {
        this.gradients = gradients;
        this.released = released;
    }

    /**
     * The diagonals of the captures of one weight, in the order in which {@link LayerCurvature} keeps them: H (the weight's
     * part and the bias's) and S; or for a norm layer that is not taken as released its scale's and its shift's.
     */
    static List<List<Value>> of(List<Capture> captures, Gradients gradients, boolean released) {
        Statistics statistics = new Statistics(gradients, released);
        return switch (captures.get(0)) {
            case Capture.Linear _, Capture.Embedding _ -> statistics.matrix(captures);
            case Capture.Conv2d _ -> statistics.convolution(captures);
            case Capture.BatchNorm2d _, Capture.LayerNorm _ ->
                released
                        ? NormStatistics.released(captures, gradients)
                        : NormStatistics.exact(captures, gradients).stream()
                                .map(diagonal -> List.of(perTerm(diagonal, gradients)))
                                .toList();
        };
    }

    /** Squares of the gradient of the mean as those of single terms: the Fisher matrix is made of these. */
    private static Value perTerm(Value squares, Gradients gradients) {
        return gradients.count().map(n -> squares.mul(n.square())).orElse(squares);
    }

    private Value squares(Capture capture, Shape as, int... axes) {
        Value ds = gradients.of(capture).reshape(as);
        Value squares = ds.square().sum(axes);
        return released ? squares : perTerm(squares, gradients);
    }

    private List<List<Value>> matrix(List<Capture> captures) {
        Sums linear = null, lookup = null;
        boolean biased = false;
        for (Capture capture : captures) {
            switch (capture) {
                case Capture.Linear c -> {
                    Value a = c.matrix(c.a());
                    Value output = squares(c, Shape.of(c.rows(), c.s().dim(-1)), 0);
                    linear = Sums.add(linear, new Sums(a.square().sum(0), output, c.rows()));
                    biased |= c.bias().isPresent();
                }
                case Capture.Embedding c -> lookup = Sums.add(lookup, lookup(c));
                default -> throw new AssertionError(capture);
            }
        }
        return lookup == null ? factors(linear, 1) : linear == null ? factors(lookup, 1) : tied(linear, lookup, biased);
    }

    /** The table [V x D] of an embedding has its one-hot inputs as rows: D takes the part of inputs, V that of outputs. */
    private Sums lookup(Capture.Embedding c) {
        Graph graph = c.a().graph();
        long tokens = c.a().shape().elements(), width = c.weight().shape().dim(1);
        Value ones = graph.ones(DType.F32, Shape.of(tokens));
        Value counts = graph.add(new ScatterAdd(c.weight().shape().dim(0)), c.a().reshape(tokens), ones)
                .output(0);
        return new Sums(squares(c, Shape.of(tokens, width), 0), counts, tokens);
    }

    /**
     * A table that is looked up and also makes the logits has a diagonal of two products, h s + h' s'. The one product that
     * stands for them has their sums over rows and over columns; either alone would be what it is without the other.
     */
    private static List<List<Value>> tied(Sums linear, Sums lookup, boolean biased) {
        Value h1 = linear.h(), s1 = linear.s(), h2 = lookup.h(), s2 = lookup.s();
        Value inputs1 = h1.sum().add(biased ? 1 : 0), inputs2 = h2.sum(), outputs1 = s1.sum(), outputs2 = s2.sum();
        Expr mixed = Expr.arg(0).mul(Expr.arg(1)).add(Expr.arg(2).mul(Expr.arg(3)));
        Graph graph = h1.graph();
        Value total = graph.map(mixed, inputs1, outputs1, inputs2, outputs2);
        Expr share = Expr.select(Expr.of(0).lessThan(Expr.arg(4)), mixed.div(Expr.arg(4)), Expr.of(0));
        return List.of(
                List.of(graph.map(mixed, h1, outputs1, h2, outputs2), outputs1.reshape(1)),
                List.of(graph.map(share, s1, inputs1, s2, inputs2, total)));
    }

    private static List<List<Value>> factors(Sums sums, double divisor) {
        Value constant = sums.input().graph().fill(1 / divisor, DType.F32, Shape.of(1));
        return List.of(List.of(sums.h().mul(1 / divisor), constant), List.of(sums.s()));
    }

    /**
     * No patch is taken out of the image: the squares are summed over the batch into one map [C x H x W], and each place of
     * the window sees a box of it, which is what a depthwise weight gradient with ones for dy adds up.
     */
    private List<List<Value>> convolution(List<Capture> captures) {
        Shape w = captures.get(0).weight().shape();
        Sums total = null;
        for (Capture capture : captures) {
            Shape s = capture.s().shape();
            double rows = (double) s.dim(0) * s.dim(2) * s.dim(3);
            total = Sums.add(total, new Sums(patches((Capture.Conv2d) capture), squares(capture, s, 0, 2, 3), rows));
        }
        // The published code divides by the size of a patch as well.
        return factors(total, released ? w.dim(1) * w.dim(2) * w.dim(3) : 1);
    }

    /** The sum of squares under each place of the window, [groups x C/groups x KH x KW]; released the mean over groups. */
    private Value patches(Capture.Conv2d c) {
        Shape w = c.weight().shape(), s = c.s().shape();
        Convolution g = c.window();
        long channels = w.dim(1) * g.groups();
        Value energy = c.a().square().reduce(Reduce.Kind.SUM, true, 0);
        Value ones = energy.graph().ones(DType.F32, Shape.of(1, channels, s.dim(2), s.dim(3)));
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
                .reshape(g.groups(), w.dim(1), w.dim(2), w.dim(3));
        // The published code lets all groups share one factor.
        return released ? patches.mean(0) : patches;
    }
}
