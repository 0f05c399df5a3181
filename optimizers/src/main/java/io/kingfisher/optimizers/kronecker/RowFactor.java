package io.kingfisher.optimizers.kronecker;

import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A factor F = U^T U of rows U and its damped inverse, by whichever of U U^T and U^T U is smaller.
 *
 * @param kept U [groups x rows x n] where {@code few}, else F [groups x n x n]
 * @param few whether there are fewer rows than columns
 * @param inverse of the damped U U^T, or of the damped F
 * @param added what was added to its diagonal [groups x 1 x 1]
 */
public record RowFactor(RunningFactor kept, boolean few, Tensor inverse, Tensor added) {
    static RowFactor of(OptimizerState state, RunningFactor kept, boolean few) {
        long groups = kept.shape().dim(0), n = kept.shape().dim(1);
        return new RowFactor(
                kept,
                few,
                state.tensor(kept.name() + ".inverse", DType.F32, Shape.of(groups, n, n), 0),
                state.tensor(kept.name() + ".added", DType.F32, Shape.of(groups, 1, 1), 1));
    }

    /** Records that the factor is of these rows from now on. */
    void take(Value rows, Value refresh) {
        kept.take(few ? rows : rows.matmul(rows, true, false), refresh);
    }

    /** The mean of the factor's diagonal [groups x 1 x 1]. */
    Value mean(Graph graph) {
        Value value = kept.read(graph);
        Value trace = few ? value.square().sum(1, 2).reshape(value.dim(0), 1, 1) : Matrices.trace(value);
        return trace.mul(1.0 / value.dim(2));
    }

    /** The inversion of F + damping I, the damping being [groups x 1 x 1]. */
    List<Decompositions.Job> jobs(Function<Graph, Value> damping) {
        List<Decompositions.Job> jobs = new ArrayList<>();
        jobs.add(new Decompositions.Inverse(
                kept.name(),
                graph -> {
                    Value value = kept.read(graph);
                    return Matrices.damped(few ? value.matmul(value, false, true) : value, damping.apply(graph));
                },
                inverse));
        if (few) {
            jobs.add(new Decompositions.Computed(kept.name() + ".added", damping, added));
        }
        return jobs;
    }

    /** D (F + damping I)^-1 for D [groups x rows x n]. */
    Value times(Value d) {
        Graph graph = d.graph();
        if (!few) {
            return d.matmul(graph.read(inverse));
        }
        Value u = kept.read(graph);
        Value seen = d.matmul(u, false, true).matmul(graph.read(inverse)).matmul(u);
        return rest(d, seen);
    }

    /** (F + damping I)^-1 D for D [groups x n x columns]. */
    Value timesLeft(Value d) {
        Graph graph = d.graph();
        if (!few) {
            return graph.read(inverse).matmul(d);
        }
        Value u = kept.read(graph);
        Value seen = u.matmul(graph.read(inverse).matmul(u.matmul(d)), true, false);
        return rest(d, seen);
    }

    private Value rest(Value d, Value seen) {
        return d.graph()
                .map(
                        Expr.arg(0).sub(Expr.arg(1)).div(Expr.arg(2)),
                        d,
                        seen,
                        d.graph().read(added));
    }
}
