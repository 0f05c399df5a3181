package io.kingfisher.optimizers.adafisher;

import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The diagonal of one Kronecker factor and its running average. It may have several parts, as the inputs of a weight and the
 * constant input of its bias, which are scaled together.
 */
final class FactorDiagonal {
    private static final Expr X = Expr.arg(0);

    private final AdaFisherConfig config;
    private final List<Tensor> averages = new ArrayList<>();
    private final List<Tensor> read = new ArrayList<>();

    FactorDiagonal(AdaFisherConfig config, StateSource state, String name, List<Shape> parts) {
        this.config = config;
        for (int i = 0; i < parts.size(); i++) {
            String part = i == 0 ? name : name + "_bias";
            boolean released = config.mode() == AdaFisherConfig.Mode.RELEASED;
            Tensor average = state.tensor(part, parts.get(i), released ? 1 : 0);
            averages.add(average);
            boolean scaledAfter = config.mode() == AdaFisherConfig.Mode.PAPER;
            read.add(scaledAfter ? state.tensor(part + "_scaled", parts.get(i), 0) : average);
        }
    }

    /** Takes a fresh estimate of each part into the average. */
    void refresh(Graph graph, List<Value> fresh) {
        double keep, take;
        switch (config.mode()) {
            case RELEASED -> {
                fresh = scaled(fresh.stream().map(FactorDiagonal::infinityAsOne).toList(), 1e-6);
                keep = 0.1 * config.gamma();
                take = 0.01 * config.gamma();
            }
            case PAPER -> {
                keep = config.gamma();
                take = 1 - config.gamma();
            }
            case RELATIVE -> {
                keep = config.decay();
                take = 1 - config.decay();
            }
            default -> throw new AssertionError(config.mode());
        }
        List<Value> averaged = new ArrayList<>();
        for (int i = 0; i < fresh.size(); i++) {
            Tensor average = averages.get(i);
            Value next = graph.map(
                    X.mul(keep).add(Expr.arg(1).mul(take)),
                    graph.read(average),
                    fresh.get(i).reshape(average.shape()));
            graph.assign(average, next);
            averaged.add(next);
        }
        if (config.mode() == AdaFisherConfig.Mode.PAPER) {
            List<Value> scaled = scaled(averaged, 0);
            for (int i = 0; i < scaled.size(); i++) {
                graph.assign(read.get(i), scaled.get(i));
            }
        }
    }

    private static Value infinityAsOne(Value x) {
        return x.map(Expr.select(X.equalTo(Expr.of(Double.POSITIVE_INFINITY)), Expr.of(1), X));
    }

    /** (x - min) / (max - min + epsilon) over all parts together; 0 where all are equal. */
    private static List<Value> scaled(List<Value> parts, double epsilon) {
        Value min = null, max = null;
        for (Value part : parts) {
            Value low = part.reduce(Reduce.Kind.MIN, false), high = part.reduce(Reduce.Kind.MAX, false);
            min = min == null ? low : min.min(low);
            max = max == null ? high : max.max(high);
        }
        Expr range = Expr.arg(2).sub(Expr.arg(1));
        Expr ratio = X.sub(Expr.arg(1)).div(range.add(epsilon));
        Expr safe = Expr.select(Expr.of(0).lessThan(range), ratio, Expr.of(0));
        List<Value> result = new ArrayList<>();
        for (Value part : parts) {
            result.add(part.graph().map(safe, part, min, max));
        }
        return result;
    }

    /** What the update multiplies: the part, scaled where the mode says so. */
    Value value(Graph graph, int part) {
        return graph.read(read.get(part));
    }

    int parts() {
        return read.size();
    }
}
