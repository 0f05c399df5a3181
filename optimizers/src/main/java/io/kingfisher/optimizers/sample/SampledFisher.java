package io.kingfisher.optimizers.sample;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.SampleJacobian;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Natural gradient with a Fisher matrix of few rows, by the identity of Sherman, Morrison and Woodbury (Ren and Goldfarb,
 * Efficient subsampled Gauss-Newton and natural gradient methods, 2019): with the rows R of a sample of the batch, the direction is (R^T
 * R / n + damping I)^-1 D = (D - R^T (R R^T + n damping I)^-1 R D) / damping, D being the gradient of the mean loss over the
 * whole batch. What no row reaches is divided by the damping, so the step depends on it.
 */
public final class SampledFisher extends SampleOptimizer {
    /**
     * @param labels whose gradients the rows are: the model's own draws (SF), the data's (SMW-NG) or all columns of the loss's
     *     Hessian's root (SMW-GN)
     * @param samples n, how many of the batch's samples give rows: its first ones, the batch being shuffled; more than it has for
     *     all
     * @param damping above 0, in units of the Fisher matrix of the mean loss
     * @param momentum of the direction
     */
    public record Config(LabelSource labels, long samples, double damping, double momentum) {
        public Config {
            if (!(damping > 0) || samples < 1) {
                throw new KingfisherException(
                        "A Fisher matrix of few rows needs a damping above 0 and at least 1 sample," + " not " + damping
                                + " and " + samples + ".");
            }
        }
    }

    private final Config config;

    public SampledFisher(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, config.momentum(), clipping);
        this.config = config;
    }

    @Override
    protected Step step(Gradients gradients) {
        List<LabelSource.Draw> draws = config.labels() instanceof LabelSource.Exact
                ? NaturalGradient.columns(gradients)
                : config.labels().draws(gradients);
        SampleJacobian jacobian = SampleJacobian.of(
                gradients, draws, io.kingfisher.optimizers.curvature.Sharing.EXACT_PER_SAMPLE, config.samples());
        GramSystem.check("SF and SMW", jacobian.rows());
        double n = jacobian.samples() * rowsPerSample(gradients);
        Value moved = jacobian.times(gradients::of).cast(DType.F64);
        GramSystem.Solution solution = GramSystem.solve(jacobian.gram(), n * config.damping(), moved);
        Map<Parameter, Value> parts = new LinkedHashMap<>();
        jacobian.transposed(solution.y())
                .forEach((p, part) -> parts.put(p, gradients.of(p).sub(part).mul(1 / config.damping())));
        return new Step(parts, solution.solved());
    }

    /** The terms of the mean loss that one sample has. */
    private static double rowsPerSample(Gradients gradients) {
        return NaturalGradient.rowsPerSample(gradients);
    }
}
