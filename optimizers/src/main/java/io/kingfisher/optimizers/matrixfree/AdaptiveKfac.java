package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;
import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.times;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * K-FAC as Martens and Grosse (2015) have it in full, without a learning rate: the proposal Delta = -G~^-1 D A~^-1 and the last
 * step d become the step alpha Delta + mu d that minimises g^T s + s^T (F + lambda I) s / 2 with the exact Fisher matrix F of
 * the net (sections 6.4 and 7). lambda follows how well that model told the loss (section 6.5), and gamma, the damping of the
 * factors, is the best of three at intervals (section 6.6).
 *
 * <p>F and the loss are those of the step's batch, and statistics are taken in every step on all of it, where the paper takes
 * parts of it; the averages of iterates of its section 13 are left to whoever evaluates. Weight decay is part of the loss and
 * of F. Norm layers have exact blocks; parameters without statistics have their negative gradient as a proposal.
 */
public final class AdaptiveKfac extends MatrixFreeOptimizer {
    /**
     * @param damping lambda at the start, above 0; gamma starts at the root of lambda and the largest weight decay
     * @param decay of the averages of the factors, the {@code kfac} rule
     * @param labels whose gradients G is made of
     * @param dampingInterval T1, steps between changes of lambda
     * @param gammaInterval T2, steps between searches for gamma
     * @param inverseInterval T3, steps between inversions, which the first three steps make as well
     */
    public record Config(
            double damping,
            double decay,
            LabelSource labels,
            int dampingInterval,
            int gammaInterval,
            int inverseInterval) {
        public Config {
            if (!(damping > 0) || dampingInterval < 1 || gammaInterval < 1 || inverseInterval < 1) {
                throw new KingfisherException(
                        "Adaptive K-FAC needs a damping above 0 and intervals of at least 1 step, not " + damping + ", "
                                + dampingInterval + ", " + gammaInterval + " and " + inverseInterval + ".");
            }
        }

        /** The published settings; their learning rate is 1. */
        public static Config usual() {
            return new Config(150, 0.95, new LabelSource.MonteCarlo(1), 5, 20, 20);
        }
    }

    /** The steps at the start that invert their factors whatever the interval. */
    private static final int EAGER = 3;

    /** What lambda is multiplied by for each step, where the model is good (w1 without its power). */
    private static final double FACTOR = 19.0 / 20;

    private final Config config;
    private final StepControl.LevenbergMarquardt rule;
    private final double search;
    private final Tensor lambda, gamma;
    private KfacProposal factors;
    private Tensor proposal, before, alpha, mu;

    public AdaptiveKfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        double w1 = Math.pow(FACTOR, config.dampingInterval());
        rule = new StepControl.LevenbergMarquardt(0.25, 0.75, w1, 1 / w1);
        search = Math.pow(Math.sqrt(FACTOR), config.gammaInterval());
        double eta =
                groups.stream().mapToDouble(ParameterGroup::weightDecay).max().orElse(0);
        lambda = state().tensor("damping", DType.F64, Shape.SCALAR, config.damping());
        gamma = state().tensor("gamma", DType.F64, Shape.SCALAR, Math.sqrt(config.damping() + eta));
    }

    @Override
    void allocate(long size) {
        proposal = vector();
        before = state().tensor("step", DType.F32, Shape.of(size), 0);
        alpha = scalar(DType.F64);
        mu = scalar(DType.F64);
    }

    @Override
    void watch(Gradients gradients) {
        if (factors == null) {
            factors = new KfacProposal(device(), state(), gradients, config.decay(), gamma);
        }
        factors.observe(gradients, config.labels().draws(gradients));
    }

    @Override
    void find() {
        StepControl.Plane plane;
        if (step() % config.gammaInterval() == 0) {
            plane = searched();
        } else {
            if (step() <= EAGER || step() % config.inverseInterval() == 0) {
                factors.invert();
            }
            plane = plane();
        }
        alpha.set(0, plane.x());
        mu.set(0, plane.y());
        programs().run("move", graph -> {
            Value next = plus(times(graph.read(alpha), graph.read(proposal)), graph.read(mu), graph.read(before));
            graph.assign(before, next);
            graph.assign(direction(), next);
        });
        if (step() % config.dampingInterval() == 0 && plane.change() < 0) {
            lambda.set(0, rule.next(lambda.item(), (lossAt(1) - loss()) / plane.change()));
        }
    }

    /** The plane for the gamma, of the one at hand, a smaller and a larger one, whose model falls most. */
    private StepControl.Plane searched() {
        double center = gamma.item(), best = center;
        StepControl.Plane chosen = null;
        for (double candidate : List.of(center, search * center, center / search)) {
            gamma.set(0, candidate);
            factors.invert();
            StepControl.Plane plane = plane();
            if (chosen == null || plane.change() < chosen.change()) {
                chosen = plane;
                best = candidate;
            }
        }
        gamma.set(0, best);
        factors.invert();
        return plane();
    }

    /** The minimum of the model in the plane of the proposal and the last step. */
    private StepControl.Plane plane() {
        set("proposal", proposal, this::propose);
        Program products = programs().run("products", graph -> {
            Value u = graph.read(proposal), v = graph.read(before), g = graph.read(gradient());
            Value hu = curvature(u), hv = curvature(v);
            graph.output("uHu", dot(u, hu));
            graph.output("uHv", dot(u, hv));
            graph.output("vHv", dot(v, hv));
            graph.output("gu", dot(g, u));
            graph.output("gv", dot(g, v));
        });
        return StepControl.Plane.minimum(
                item(products, "uHu"),
                item(products, "uHv"),
                item(products, "vHv"),
                item(products, "gu"),
                item(products, "gv"));
    }

    private Value curvature(Value v) {
        Graph graph = v.graph();
        return plus(batch().here(graph).gaussNewton(v), graph.read(lambda), v);
    }

    private Value propose(Graph graph) {
        Value g = graph.read(gradient());
        Layout layout = batch().layout();
        var directions = factors.directions(p -> layout.part(g, p));
        return layout.join(
                graph, p -> directions.getOrDefault(p, layout.part(g, p)).neg());
    }

    @Override
    public List<String> notes() {
        List<String> all = new ArrayList<>();
        for (Parameter parameter :
                batch() == null ? List.<Parameter>of() : batch().layout().parameters()) {
            if (!factors.covers(parameter)) {
                all.add(parameter.path() + ": its layer leaves no statistics; the step's proposal is its gradient");
            }
        }
        return all;
    }

    @Override
    public List<String> reports() {
        List<String> all = new ArrayList<>(super.reports());
        if (factors != null) {
            all.addAll(factors.reports());
        }
        return all;
    }

    @Override
    public void close() {
        if (factors != null) {
            factors.close();
        }
        super.close();
    }
}
