package io.kingfisher.optimizers.sample;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.SampleJacobian;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Natural gradient with the empirical Fisher matrix, and the improved one of Wu, Yu, Zhang and Woodland (An improved empirical
 * Fisher approximation for natural gradient descent, NeurIPS 2024). With the gradients of the samples' losses as the rows of J,
 * the direction is J^T (J J^T + damping I)^-1 s.
 *
 * <p>Without damping, J times the direction is s: it says how much each sample's loss falls. The empirical Fisher matrix has s
 * = 1, so that samples that are fitted already pull as hard as others; the improved one has the squared length of the derivative
 * of a sample's loss with respect to its predictions, which vanishes with the loss.
 */
public final class EmpiricalFisher extends SampleOptimizer {
    /** What s is. */
    public enum Target {
        /** 1 for every sample: the empirical Fisher matrix (EF). */
        ONE,
        /** || d loss_n / d prediction_n ||^2: the improved one (iEF, equation 8). */
        SQUARED_RESIDUAL
    }

    /**
     * @param target what s is
     * @param damping in units of J J^T, at least 0; below 1e-12 of the largest diagonal element it is that
     * @param duplicates the cosine above which a sample's gradient counts as that of an earlier one and is left out, above 0; 1
     *     to keep all
     * @param momentum of the direction
     */
    public record Config(Target target, double damping, double duplicates, double momentum) {
        public Config {
            SampleOptimizer.checked(damping);
            if (!(duplicates > 0 && duplicates <= 1)) {
                throw new KingfisherException(
                        "The cosine of duplicates is above 0 and at most 1, not " + duplicates + ".");
            }
        }

        /** Nearly no damping, as published. */
        public static Config usual(Target target) {
            return new Config(target, 1e-7, 0.99, 0);
        }
    }

    private final Config config;

    public EmpiricalFisher(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, config.momentum(), clipping);
        this.config = config;
    }

    @Override
    protected Step step(Gradients gradients) {
        SampleJacobian jacobian = empirical(gradients);
        GramSystem.check("EF and iEF", jacobian.rows());
        Value gram = jacobian.gram();
        Value s = config.target() == Target.ONE
                ? gram.graph().ones(DType.F64, gram.shape().slice(0, 1))
                : squares(gradients, jacobian.samples());
        if (config.duplicates() < 1) {
            Value kept = GramSystem.distinct(gram, config.duplicates());
            gram = GramSystem.without(gram, kept);
            s = s.mul(kept);
        }
        GramSystem.Solution solution = GramSystem.solve(gram, config.damping(), s.mul(counts(gram)));
        return new Step(jacobian.transposed(solution.y()), solution.solved());
    }

    /** 1 for samples that have a gradient, else 0: rows that only fill up a batch must not count. */
    private static Value counts(Value gram) {
        Graph graph = gram.graph();
        Value eye = io.kingfisher.optimizers.curvature.Matrices.identity(graph, gram.dim(0), DType.F64);
        return gram.mul(eye).sum(1).map(Expr.of(0).lessThan(Expr.arg(0)));
    }

    /** The squared lengths [N], F64, of the derivatives of samples' losses with respect to their predictions. */
    static Value squares(Gradients gradients, long samples) {
        List<Value> parts = new ArrayList<>();
        List<Value> residuals = residuals(gradients);
        long rows = residuals.stream().mapToLong(r -> r.dim(0)).sum();
        for (Value residual : residuals) {
            long own = residual.dim(0) * samples / rows;
            parts.add(residual.cast(DType.F64).square().reshape(own, -1).sum(1));
        }
        return gradients.loss().graph().concat(0, parts);
    }

    /** Derivatives of samples' own losses with respect to each micro-batch's predictions. */
    static List<Value> residuals(Gradients gradients) {
        List<Value> predictions =
                gradients.likelihoods().stream().map(l -> l.prediction()).toList();
        Value samples = gradients.samples();
        return Autodiff.gradients(gradients.loss(), predictions).stream()
                .map(g -> g.mul(samples))
                .toList();
    }
}
