package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.KroneckerOptimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.FactorInverses;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.NormBlocks;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.optimizers.curvature.WeightedMoments;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.Function;

/**
 * TKFAC (Gao et al., A trace-restricted Kronecker-factored approximation to natural gradient, AAAI 2021): the Fisher block of a
 * layer is delta Phi (x) Psi with delta = E[|a|^2 |g|^2], Phi = E[|g|^2 a a^T] / delta and Psi = E[|a|^2 g g^T] / delta, whose
 * trace is the block's own. The gradient D becomes (sqrt(delta) Psi + psi I)^-1 D (sqrt(delta) Phi + phi I)^-1.
 *
 * <p>What is averaged are delta Phi and delta Psi, from which delta follows as their trace. Norm layers have exact blocks, as in
 * K-FAC.
 */
public final class Tkfac extends KroneckerOptimizer<Tkfac.Layer> {
    /** What is added to the factors. */
    public enum Damping {
        /** The square root of the damping to both. */
        PLAIN,
        /**
         * To each the square root times its own mean eigenvalue, so that the damping is a share of the layer's mean
         * curvature: the purpose, not the formula, of the paper's damping of convolutions.
         */
        RELATIVE
    }

    /**
     * @param damping lambda, above 0, in units of the Fisher matrix, or for {@code RELATIVE} of its mean eigenvalue
     * @param decay of the averages, the {@code kfac} rule
     * @param labels whose gradients the factors are made of
     * @param factorInterval steps between statistics
     * @param inverseInterval steps between inversions
     * @param clip kappa of the bound on the step's squared length in the Fisher norm; infinite for none
     * @param momentum of the heavy ball on the preconditioned gradient
     */
    public record Config(
            double damping,
            Damping how,
            double decay,
            LabelSource labels,
            int factorInterval,
            int inverseInterval,
            double clip,
            double momentum) {
        public Config {
            if (!(damping > 0) || inverseInterval < 1) {
                throw new KingfisherException("TKFAC needs a damping above 0 and an interval of at least 1 step, not "
                        + damping + " and " + inverseInterval + ".");
            }
        }
    }

    /** What is kept for a layer. */
    public sealed interface Layer {}

    /** A norm layer's own blocks. */
    public record Norm(NormBlocks blocks) implements Layer {}

    /** delta Phi, delta Psi and the damped inverses of sqrt(delta) Phi and sqrt(delta) Psi. */
    public record Restricted(RunningFactor phi, RunningFactor psi, FactorInverses inverses) implements Layer {}

    private final Config config;

    public Tkfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.factorInterval(), config.inverseInterval(), config.clip(), config.momentum()),
                config.labels());
        this.config = config;
    }

    @Override
    protected Layer keep(LayerMatrix layer) {
        Averaging rule = Averaging.kfac(config.decay());
        if (layer.kind() == Kind.NORM) {
            return new Norm(NormBlocks.of(state(), factor(layer, "A", NormBlocks.shape(layer), rule)));
        }
        RunningFactor phi = factor(layer, "Phi", Moments.inputShape(layer), rule);
        RunningFactor psi = factor(layer, "Psi", Moments.outputShape(layer), rule);
        return new Restricted(phi, psi, new FactorInverses(state(), layer, psi.name(), phi.name()));
    }

    @Override
    protected void observe(
            LayerMatrix layer, Layer kept, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        switch (kept) {
            case Norm norm -> norm.blocks().observe(layer, gradients, draws, refresh);
            case Restricted r -> {
                Moments.Pair fresh = WeightedMoments.of(layer, gradients, draws);
                r.phi().take(fresh.inputs(), refresh);
                r.psi().take(fresh.outputs(), refresh);
            }
        }
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Layer kept) {
        return switch (kept) {
            case Norm norm -> List.of(norm.blocks().job(config.damping()));
            case Restricted r -> {
                Function<Graph, Value> root = graph -> Matrices.trace(r.psi().read(graph))
                        .max(graph.scalar(1e-30))
                        .sqrt();
                yield r.inverses()
                        .jobs(
                                graph -> r.psi().read(graph).div(root.apply(graph)),
                                graph -> added(root.apply(graph), layer.outputs()),
                                graph -> r.phi().read(graph).div(shaped(root.apply(graph), layer)),
                                graph -> added(root.apply(graph), layer.inputs()));
            }
        };
    }

    /** sqrt(delta) as it divides what is averaged; an embedding's is a vector. */
    private static Value shaped(Value root, LayerMatrix layer) {
        return layer.kind() == Kind.EMBEDDING ? root.reshape(1) : root;
    }

    /** What is added to a factor of trace {@code root} and size n. */
    private Value added(Value root, long n) {
        double share = Math.sqrt(config.damping());
        return config.how() == Damping.PLAIN ? root.map(Expr.of(share)) : root.mul(share / n);
    }

    @Override
    protected Value direction(LayerMatrix layer, Layer kept, Value d) {
        return switch (kept) {
            case Norm norm -> norm.blocks().direction(d);
            case Restricted r -> r.inverses().direction(d);
        };
    }
}
