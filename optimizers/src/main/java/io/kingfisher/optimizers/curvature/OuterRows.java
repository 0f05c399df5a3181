package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The rows of a linear layer or a convolution: a sample's gradient is the sum over its places t of g_t [a_t; 1]^T. Without any
 * places the Gram matrix is (a a^T + 1) o (g g^T). With places it is either the sum over pairs of places of such products, or
 * made of the samples' gradients, which exist for the time of one product: whatever takes less memory.
 *
 * @param weight empty where it is frozen
 * @param shape the weight's, [O x I] or [O x I/groups x KH x KW]
 */
record OuterRows(
        Optional<Parameter> weight,
        Optional<Parameter> bias,
        Shape shape,
        List<Application> applications,
        Sharing sharing)
        implements SampleRows {

    /** The gradients [D x N x groups x T x O] and the inputs [N x groups x T x I] of all applications. */
    private record Factors(Value g, Value a) {
        long draws() {
            return g.dim(0);
        }

        long samples() {
            return g.dim(1);
        }

        long groups() {
            return g.dim(2);
        }

        long places() {
            return g.dim(3);
        }
    }

    private long groups() {
        return applications.get(0).capture() instanceof Capture.Conv2d c
                ? c.window().groups()
                : 1;
    }

    private boolean convolution() {
        return applications.get(0).capture() instanceof Capture.Conv2d;
    }

    private Factors factors() {
        List<Value> gs = new ArrayList<>(), as = new ArrayList<>();
        for (Application use : applications) {
            Value g = use.g(), a = use.a();
            long draws = use.draws(), samples = use.samples();
            if (use.capture() instanceof Capture.Conv2d c) {
                long outputs = shape.dim(0) / groups();
                gs.add(g.reshape(draws, samples, groups(), outputs, -1).t());
                as.add(Windows.of(c, a));
            } else {
                gs.add(g.reshape(draws, samples, 1, -1, shape.dim(0)));
                as.add(a.reshape(samples, 1, -1, shape.dim(1)));
            }
        }
        Graph graph = gs.get(0).graph();
        Value g = graph.concat(3, gs), a = graph.concat(2, as);
        return switch (sharing) {
            case EXACT_PER_SAMPLE -> new Factors(g, a);
            case REDUCE ->
                new Factors(
                        g.reduce(io.kingfisher.runtime.graph.Reduce.Kind.SUM, true, 3),
                        a.reduce(io.kingfisher.runtime.graph.Reduce.Kind.SUM, true, 2)
                                .mul(1.0 / a.dim(2)));
            case EXPAND ->
                new Factors(
                        g.transpose(0, 1, 3, 2, 4).reshape(g.dim(0), g.dim(1) * g.dim(3), g.dim(2), 1, g.dim(4)),
                        a.transpose(0, 2, 1, 3).reshape(a.dim(0) * a.dim(2), a.dim(1), 1, a.dim(3)));
        };
    }

    /** With a bias, the constant input 1 as another column; without the weight, it alone. */
    private Value inputs(Factors f) {
        if (bias.isEmpty()) {
            return f.a();
        }
        Value ones = f.a().graph().ones(DType.F32, f.a().shape().with(-1, 1));
        // A mean over places times a sum of gradients would count the bias right only with an input of 1, which it has.
        return weight.isEmpty() ? ones : f.a().graph().concat(3, List.of(f.a(), ones));
    }

    /** The rows themselves [D x N x groups x O x I]. */
    private Value rows(Factors f) {
        return f.g().matmul(inputs(f), true, false);
    }

    private boolean pairwise(Factors f, double pairs) {
        return f.places() == 1 || pairs <= (double) f.g().dim(4) * inputs(f).dim(3);
    }

    @Override
    public Value gram() {
        Factors f = factors();
        long d = f.draws(), n = f.samples(), groups = f.groups(), t = f.places();
        if (!pairwise(f, (double) d * n * t * t)) {
            Value rows = rows(f);
            return SampleRows.products(rows.reshape(d * n, rows.shape().elements() / Math.max(1, d * n)));
        }
        Value a = inputs(f);
        Value left = f.g().transpose(2, 0, 1, 3, 4).reshape(groups, d * n * t, f.g().dim(4));
        Value right = a.transpose(1, 0, 2, 3).reshape(groups, n * t, a.dim(3));
        Value outputs = SampleRows.products(left).reshape(groups, d, n * t, d, n * t);
        Value inputs = SampleRows.products(right).reshape(groups, 1, n * t, 1, n * t);
        return outputs.mul(inputs).reshape(groups, d * n, t, d * n, t).sum(0, 2, 4);
    }

    @Override
    public Value squaredNorms() {
        Factors f = factors();
        long d = f.draws(), n = f.samples();
        if (!pairwise(f, (double) f.places() * f.places())) {
            return rows(f).cast(DType.F64).square().sum(2, 3, 4).reshape(d * n);
        }
        return SampleRows.products(f.g())
                .mul(SampleRows.products(inputs(f)))
                .sum(2, 3, 4)
                .reshape(d * n);
    }

    @Override
    public Value times(Function<Parameter, Value> v) {
        if (convolution() && sharing == Sharing.EXACT_PER_SAMPLE) {
            return SampleRows.sum(
                    applications.stream().map(use -> convolved(use, v)).toList());
        }
        Factors f = factors();
        long groups = f.groups(), outputs = f.g().dim(4);
        List<Value> parts = new ArrayList<>();
        weight.ifPresent(w -> parts.add(f.a().matmul(v.apply(w).reshape(groups, outputs, f.a().dim(3)), false, true)));
        bias.ifPresent(b -> parts.add(v.apply(b).reshape(groups, 1, outputs)));
        Value moved = parts.size() == 1 ? parts.get(0) : parts.get(0).add(parts.get(1));
        return f.g().mul(moved).sum(2, 3, 4);
    }

    /** The outputs' change along v, times the outputs' gradients. */
    private Value convolved(Application use, Function<Parameter, Value> v) {
        Capture.Conv2d c = (Capture.Conv2d) use.capture();
        List<Value> parts = new ArrayList<>();
        weight.ifPresent(w -> parts.add(
                use.a().graph().add(new Conv2d(c.window()), use.a(), v.apply(w)).output(0)));
        bias.ifPresent(b -> parts.add(v.apply(b).reshape(shape.dim(0), 1, 1)));
        Value moved = parts.size() == 1 ? parts.get(0) : parts.get(0).add(parts.get(1));
        return use.g().mul(moved).sum(2, 3, 4);
    }

    @Override
    public Map<Parameter, Value> transposed(Value y) {
        if (convolution() && sharing == Sharing.EXACT_PER_SAMPLE) {
            return convolutions(y);
        }
        Factors f = factors();
        Value g = SampleRows.weighted(f.g(), y);
        long n = f.samples(), groups = f.groups(), t = f.places(), outputs = g.dim(3);
        Map<Parameter, Value> result = new LinkedHashMap<>();
        weight.ifPresent(w -> {
            Value left = g.transpose(1, 0, 2, 3).reshape(groups, n * t, outputs);
            Value right = f.a().transpose(1, 0, 2, 3).reshape(groups, n * t, f.a().dim(3));
            result.put(w, left.matmul(right, true, false).reshape(w.shape()));
        });
        bias.ifPresent(b -> result.put(b, g.sum(0, 2).reshape(b.shape())));
        return result;
    }

    private Map<Parameter, Value> convolutions(Value y) {
        List<Value> weights = new ArrayList<>(), biases = new ArrayList<>();
        for (Application use : applications) {
            Capture.Conv2d c = (Capture.Conv2d) use.capture();
            Value g = SampleRows.weighted(use.g(), y);
            if (weight.isPresent()) {
                weights.add(g.graph()
                        .add(new Conv2dWeightGrad(c.window(), shape), use.a(), g)
                        .output(0));
            }
            if (bias.isPresent()) {
                biases.add(g.sum(0, 2, 3));
            }
        }
        Map<Parameter, Value> result = new LinkedHashMap<>();
        weight.ifPresent(w -> result.put(w, SampleRows.sum(weights)));
        bias.ifPresent(b -> result.put(b, SampleRows.sum(biases)));
        return result;
    }
}
