package io.kingfisher.optimizers.sample;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.SampleJacobian;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Natural gradient with the exact Fisher matrix of the batch (Amari, 1998; for the losses here also the Gauss-Newton step):
 * (F + damping I)^-1 D. With a root B_n of each sample's output Fisher matrix, the rows R = B_n^T J_n give F = R^T R / N, and as
 * the gradient D = R^T u / N for the u with B_n u_n = the residual of sample n, the direction is R^T (R R^T + N damping
 * I)^-1 u: nothing is subtracted. Rows are rounded to F32, so that dampings far below 1e-6 of the largest eigenvalue mean
 * little where rows depend on each other. A backward pass for each output: a reference for small batches.
 */
public final class NaturalGradient extends SampleOptimizer {
    /**
     * @param damping in units of the Fisher matrix of the mean loss, at least 0
     * @param momentum of the direction
     */
    public record Config(double damping, double momentum) {
        public Config {
            SampleOptimizer.checked(damping);
        }
    }

    private final Config config;

    public NaturalGradient(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, config.momentum(), clipping);
        this.config = config;
    }

    @Override
    protected Step step(Gradients gradients) {
        List<LabelSource.Draw> draws = columns(gradients);
        SampleJacobian jacobian = SampleJacobian.of(gradients, draws);
        GramSystem.check("NGD", jacobian.rows());
        Value u = roots(gradients, jacobian.samples());
        double terms = jacobian.samples() * rowsPerSample(gradients);
        GramSystem.Solution solution = GramSystem.solve(jacobian.gram(), terms * config.damping(), u);
        return new Step(jacobian.transposed(solution.y()), solution.solved());
    }

    /** The rows of predictions that a sample has, equally many for all: 1, or the tokens of a text. */
    static long rowsPerSample(Gradients gradients) {
        long rows = 0, samples = 0;
        int parts = gradients.likelihoods().size(), each = gradients.captures().size() / parts;
        for (int m = 0; m < parts; m++) {
            rows += rows(gradients.likelihoods().get(m));
            samples += gradients.captures().get(m * each).s().dim(0);
        }
        return rows / Math.max(1, samples);
    }

    private static long rows(Likelihood likelihood) {
        return likelihood.prediction().shape().elements() / Math.max(1, likelihood.rank());
    }

    /**
     * A draw for each column of the root and each row of predictions of a sample: rows of one sample would add up to more than
     * their own products if they were drawn together.
     */
    static List<LabelSource.Draw> columns(Gradients gradients) {
        long places = rowsPerSample(gradients);
        int columns = gradients.likelihoods().get(0).rank();
        long draws = places * columns;
        if (draws > GramSystem.MOST_ROWS) {
            throw new KingfisherException("The exact Fisher matrix takes a backward pass for each of a sample's "
                    + draws + " outputs; use a method with sampled or empirical labels.");
        }
        if (places == 1) {
            return new LabelSource.Exact().draws(gradients);
        }
        List<LabelSource.Draw> result = new ArrayList<>();
        for (int place = 0; place < places; place++) {
            for (int c = 0; c < columns; c++) {
                int row = place, column = c;
                List<Value> seeds = gradients.likelihoods().stream()
                        .map(l -> l.column(column).mul(only(l, row, places)))
                        .toList();
                result.add(new LabelSource.Draw(1, gradients.pull(seeds)));
            }
        }
        return result;
    }

    /** 1 for one row of each sample, as a column beside the prediction [rows x C]. */
    private static Value only(Likelihood likelihood, int place, long places) {
        Graph graph = likelihood.prediction().graph();
        long rows = rows(likelihood);
        return graph.iota(DType.I32, Math.toIntExact(places))
                .map(Expr.arg(0).equalTo(Expr.of(place)))
                .cast(DType.F32)
                .reshape(1, places)
                .broadcastTo(Shape.of(rows / places, places))
                .reshape(rows, 1);
    }

    /** What the root makes residuals of, in the order of the rows: [places x C x N] as F64 [M]. */
    private static Value roots(Gradients gradients, long samples) {
        List<Value> residuals = EmpiricalFisher.residuals(gradients), parts = new ArrayList<>();
        for (int m = 0; m < residuals.size(); m++) {
            Likelihood likelihood = gradients.likelihoods().get(m);
            Value u = likelihood.rootSolve(residuals.get(m));
            long places = rowsPerSample(gradients), own = rows(likelihood) / places;
            parts.add(u.reshape(own, places * likelihood.rank()));
        }
        Value all = gradients.loss().graph().concat(0, parts);
        return all.t().reshape(all.dim(1) * samples).cast(DType.F64);
    }
}
