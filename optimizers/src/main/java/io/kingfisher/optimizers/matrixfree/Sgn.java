package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import java.util.List;

/**
 * SGN, stochastic Gauss-Newton (Gargiani et al., 2020): the step d of a batch solves (G + lambda I) d = -g with G the batch's own
 * Gauss-Newton matrix, by a few iterations of conjugate gradients from 0; p = p + lr d.
 */
public final class Sgn extends MatrixFreeOptimizer {
    /**
     * @param damping lambda at the start, above 0
     * @param iterations of conjugate gradients, at most
     * @param adaptive whether the damping follows Levenberg and Marquardt, for one more forward pass
     */
    public record Config(double damping, int iterations, boolean adaptive) {
        public Config {
            if (!(damping > 0) || iterations < 1) {
                throw new KingfisherException("SGN needs a damping above 0 and at least 1 iteration, not " + damping
                        + " and " + iterations + ".");
            }
        }

        /** Ten iterations, as the paper has them, with a middle one of its dampings. */
        public static Config usual() {
            return new Config(1e-2, 10, false);
        }
    }

    /** Where F32 has nothing left to solve. */
    private static final double RESIDUAL = 1e-7;

    private final Config config;
    private final StepControl.LevenbergMarquardt rule = StepControl.LevenbergMarquardt.martens();
    private final Tensor damping;
    private ConjugateGradients solver;

    public Sgn(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        damping = state().tensor("damping", DType.F64, Shape.SCALAR, config.damping());
    }

    @Override
    void allocate(long size) {
        solver = new ConjugateGradients(device(), size, v -> {
            Graph graph = v.graph();
            return Vectors.plus(batch().here(graph).gaussNewton(v), graph.read(damping), v);
        });
    }

    @Override
    void find() {
        set("right", solver.right(), graph -> graph.read(gradient()).neg());
        var stop = new ConjugateGradients.Stop(config.iterations(), RESIDUAL, 0);
        List<ConjugateGradients.Iterate> found = solver.solve(false, stop, Double.POSITIVE_INFINITY);
        if (found.isEmpty()) {
            shorten(0);
            return;
        }
        ConjugateGradients.Iterate last = found.get(found.size() - 1);
        copy(last.solution(), direction());
        if (config.adaptive()) {
            damping.set(0, rule.next(damping.item(), (lossAt(1) - loss()) / last.model()));
        }
    }

    @Override
    public void close() {
        if (solver != null) {
            solver.close();
        }
        super.close();
    }
}
