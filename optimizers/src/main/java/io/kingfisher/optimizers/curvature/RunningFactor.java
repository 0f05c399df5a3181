package io.kingfisher.optimizers.curvature;

import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/**
 * The average of a statistic over refreshes: matrices [groups x n x n], or a diagonal of any other rank. A fresh one that is not
 * finite is left out and counted, so that one bad batch does not spoil the average.
 */
public final class RunningFactor {
    private final String name;
    private final Averaging rule;
    private final Tensor average;
    private final Tensor rejected;
    private long reported;

    public RunningFactor(OptimizerState state, String name, Shape shape, Averaging rule) {
        boolean known = state.tensors().containsKey(name);
        this.name = name;
        this.rule = rule;
        this.average = state.tensor(name, DType.F32, shape, shape.rank() == 3 ? 0 : rule.initial());
        this.rejected = state.tensor(name + ".rejected", DType.F32, Shape.SCALAR, 0);
        if (!known && shape.rank() == 3 && rule.initial() != 0) {
            identity(rule.initial());
        }
    }

    private void identity(double scale) {
        long n = average.shape().dim(-1);
        for (long i = 0; i < average.elements(); i += n * n) {
            for (long j = 0; j < n; j++) {
                average.set(i + j * (n + 1), scale);
            }
        }
    }

    /** Records that the average takes in a fresh estimate of its shape; {@code refresh} is the number of the refresh. */
    public void take(Value fresh, Value refresh) {
        Graph graph = fresh.graph();
        Value finite = fresh.mul(0).sum().equalTo(graph.scalar(0));
        Expr next = Expr.arg(2).mul(Expr.arg(0)).add(Expr.arg(3).mul(Expr.arg(1)));
        Value averaged = graph.map(
                Expr.select(Expr.arg(4), next, Expr.arg(0)),
                graph.read(average),
                fresh.reshape(average.shape()),
                refresh.map(rule.keep()),
                refresh.map(rule.take()),
                finite);
        graph.assign(average, averaged);
        graph.assign(rejected, graph.read(rejected).add(1).sub(finite));
    }

    /** The average as it is when a program reads it: after {@link #take} in the same recording the new one. */
    public Value read(Graph graph) {
        return graph.read(average);
    }

    /** Where the average lies. */
    public Tensor average() {
        return average;
    }

    public String name() {
        return name;
    }

    public Shape shape() {
        return average.shape();
    }

    /** What to tell a user of the estimates that were not finite since the last call; empty where there were none. */
    public Optional<String> report() {
        long all = (long) rejected.item(), fresh = all - reported;
        reported = all;
        return fresh > 0
                ? Optional.of(name + ": " + fresh + " estimates were not finite and were left out")
                : Optional.empty();
    }
}
