package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.plus;

import io.kingfisher.layers.Likelihood;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Hessian-free optimization (Martens, ICML 2010): conjugate gradients on the model g^T d + d^T (G + lambda I) d / 2 with the
 * Gauss-Newton matrix G, until they make little relative progress, beginning at the last step's solution times a decay; of the
 * iterates kept on the way the first behind which the loss does not fall any more; Levenberg and Marquardt's damping; and a line
 * search with Armijo's condition. Gradient, curvature and loss are those of the step's batch, which is to be large.
 *
 * <p>The preconditioner is (D + lambda)^-alpha. Martens takes the sum of squared gradients of single samples for D; here D is an
 * unbiased estimate of G's diagonal from random signs at the root of the loss's Hessian (Chapelle and Erhan, 2011; Martens et
 * al., 2012), since gradients of single samples are nowhere stored.
 */
public final class HessianFree extends MatrixFreeOptimizer {
    /**
     * @param damping lambda at the start, above 0
     * @param iterations of conjugate gradients, at most
     * @param progress eps of their stop; see {@link ConjugateGradients.Stop}
     * @param decay of the solution at which they begin, from 0 to 1
     * @param draws behind the preconditioner's diagonal; 0 for no preconditioner
     * @param power alpha of the preconditioner
     */
    public record Config(double damping, int iterations, double progress, double decay, int draws, double power) {
        public Config {
            if (!(damping > 0) || iterations < 1 || !(progress >= 0) || !(decay >= 0 && decay <= 1) || draws < 0) {
                throw new KingfisherException(
                        "Hessian-free optimization needs a damping above 0, at least 1 iteration, a"
                                + " progress of at least 0, a decay from 0 to 1 and at least 0 draws, not " + damping
                                + ", "
                                + iterations + ", " + progress + ", " + decay + " and " + draws + ".");
            }
            if (!(power >= 0 && power <= 1)) {
                throw new KingfisherException("A preconditioner's power is from 0 to 1, not " + power + ".");
            }
        }

        /** The published settings with a damping of 1, which adapts, and eight draws; their learning rate is 1. */
        public static Config usual() {
            return new Config(1, 250, 5e-4, 0.95, 8, 0.75);
        }
    }

    private static final double SPACING = 1.3, ARMIJO = 1e-2, SHRINK = 0.8, RESIDUAL = 1e-7;
    private static final int TRIES = 60;

    private final Config config;
    private final StepControl.LevenbergMarquardt rule = StepControl.LevenbergMarquardt.martens();
    private final Tensor damping, random;
    private Tensor solution, diagonal;
    private ConjugateGradients solver;

    public HessianFree(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        damping = state().tensor("damping", DType.F64, Shape.SCALAR, config.damping());
        random = device.allocate(DType.I32, Shape.of(4));
    }

    @Override
    void allocate(long size) {
        solution = state().tensor("solution", DType.F32, Shape.of(size), 0);
        diagonal = vector();
        solver = new ConjugateGradients(device(), size, this::curvature, this::precondition);
    }

    private Value curvature(Value v) {
        Graph graph = v.graph();
        return plus(batch().here(graph).gaussNewton(v), graph.read(damping), v);
    }

    private Value precondition(Value v) {
        if (config.draws() == 0) {
            return v;
        }
        Expr scaled = Expr.arg(0).div(Expr.arg(1).add(Expr.arg(2)).pow(config.power()));
        Graph graph = v.graph();
        return graph.map(scaled, DType.F32, List.of(v, graph.read(diagonal), graph.read(damping)));
    }

    @Override
    void find() {
        if (config.draws() > 0) {
            random.write(1, 0, (int) step(), (int) (step() >>> 32));
            set("diagonal", diagonal, this::estimate);
        }
        set("right", solver.right(), graph -> graph.read(gradient()).neg());
        set("warm", solver.solution(), graph -> graph.read(solution).mul(config.decay()));
        var stop = new ConjugateGradients.Stop(config.iterations(), RESIDUAL, config.progress());
        List<ConjugateGradients.Iterate> iterates = solver.solve(true, stop, SPACING);
        if (iterates.isEmpty()) {
            shorten(0);
            return;
        }
        copy(solver.solution(), solution);
        ConjugateGradients.Iterate chosen = backtrack(iterates);
        copy(chosen.solution(), direction());
        damping.set(0, rule.next(damping.item(), (lossAt(1) - loss()) / chosen.model()));
        OptionalDouble length = StepControl.armijo(this::lossAt, loss(), slope(), ARMIJO, SHRINK, TRIES);
        if (length.isEmpty()) {
            report("no step along the solution lowered the loss");
        }
        shorten(length.orElse(0));
    }

    /** From the last iterate back for as long as the loss does not rise. */
    private ConjugateGradients.Iterate backtrack(List<ConjugateGradients.Iterate> iterates) {
        ConjugateGradients.Iterate chosen = iterates.get(iterates.size() - 1);
        double least = lossOf(chosen);
        for (int i = iterates.size() - 2; i >= 0; i--) {
            double before = lossOf(iterates.get(i));
            // A loss that is not finite is no reason to stay.
            if (before > least) {
                break;
            }
            chosen = iterates.get(i);
            least = before;
        }
        return chosen;
    }

    private double lossOf(ConjugateGradients.Iterate iterate) {
        copy(iterate.solution(), direction());
        return lossAt(1);
    }

    /** The mean over draws of N times the squared gradient that random signs at the root of H give. */
    private Value estimate(Graph graph) {
        BatchLoss.At at = batch().here(graph);
        List<Likelihood> likelihoods = at.likelihoods();
        List<Value> squares = new ArrayList<>();
        int stream = 0;
        for (int i = 0; i < config.draws(); i++) {
            List<Value> seeds = new ArrayList<>();
            for (Likelihood likelihood : likelihoods) {
                Shape shape = likelihood.prediction().shape();
                Value signs = graph.random(Random.Distribution.RADEMACHER, graph.read(random), stream++, shape);
                seeds.add(likelihood.root(signs));
            }
            squares.add(at.pull(seeds).square());
        }
        Value samples = at.samples();
        return graph.sum(squares).div(samples).mul(1.0 / config.draws());
    }

    @Override
    public void close() {
        if (solver != null) {
            solver.close();
        }
        random.close();
        super.close();
    }
}
