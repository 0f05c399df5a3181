package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.Eigenbasis;
import io.kingfisher.optimizers.curvature.FactorInverses;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.NormBlocks;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.Function;

/**
 * K-FAC (Martens and Grosse, 2015), KFC for convolutions (Grosse and Martens, 2016): the Fisher block of a layer is A (x) G, the
 * second moments of its inputs and of its outputs' gradients, and the gradient D becomes G^-1 D A^-1. Damping, step length and
 * momentum are fixed; {@link io.kingfisher.optimizers.matrixfree.AdaptiveKfac} finds them as the paper does.
 */
public final class Kfac extends KroneckerOptimizer<Kfac.Layer> {
    /** How the damping joins the factors. */
    public enum Damping {
        /** (G + gamma / pi I)^-1 D (A + gamma pi I)^-1, gamma = sqrt(damping): by Cholesky (section 6.3). */
        FACTORED,
        /** (A (x) G + damping I)^-1 exactly, by the eigenvectors of both. */
        EXACT
    }

    /**
     * @param damping lambda, above 0, in units of the Fisher matrix
     * @param how which damping
     * @param decay of the averages, the {@code kfac} rule
     * @param labels whose gradients G is made of
     * @param factorInterval steps between statistics
     * @param inverseInterval steps between decompositions
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
                throw new KingfisherException("K-FAC needs a damping above 0 and an interval of at least 1 step, not "
                        + damping + " and " + inverseInterval + ".");
            }
        }

        /** The settings in common use with convolutional nets. */
        public static Config usual() {
            return new Config(1e-3, Damping.FACTORED, 0.95, new LabelSource.MonteCarlo(1), 10, 100, 1e-3, 0.9);
        }
    }

    /** What is kept for a layer. */
    public sealed interface Layer {}

    /** A norm layer's own blocks. */
    public record Norm(NormBlocks blocks) implements Layer {}

    /** A and G with their damped inverses. */
    public record Factored(RunningFactor a, RunningFactor g, FactorInverses inverses) implements Layer {}

    /** A and G with their eigenvectors. */
    public record Exact(RunningFactor a, RunningFactor g, Eigenbasis basis) implements Layer {}

    private final Config config;

    public Kfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.factorInterval(), config.inverseInterval(), config.clip(), config.momentum()),
                config.labels());
        this.config = config;
    }

    @Override
    protected double damping() {
        return config.damping();
    }

    @Override
    protected Layer keep(LayerMatrix layer) {
        Averaging rule = Averaging.kfac(config.decay());
        if (layer.kind() == Kind.NORM) {
            return new Norm(NormBlocks.of(state(), factor(layer, "A", NormBlocks.shape(layer), rule)));
        }
        RunningFactor a = factor(layer, "A", Moments.inputShape(layer), rule);
        RunningFactor g = factor(layer, "G", Moments.outputShape(layer), rule);
        return switch (config.how()) {
            case FACTORED -> new Factored(a, g, new FactorInverses(state(), layer, g.name(), a.name()));
            case EXACT -> new Exact(a, g, new Eigenbasis(state(), layer, g.name(), a.name()));
        };
    }

    @Override
    protected void observe(
            LayerMatrix layer, Layer kept, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        switch (kept) {
            case Norm norm -> norm.blocks().observe(layer, gradients, draws, refresh);
            case Factored f -> take(f.a(), f.g(), Moments.of(layer, gradients, draws), refresh);
            case Exact f -> take(f.a(), f.g(), Moments.of(layer, gradients, draws), refresh);
        }
    }

    private static void take(RunningFactor a, RunningFactor g, Moments.Pair fresh, Value refresh) {
        a.take(fresh.inputs(), refresh);
        g.take(fresh.outputs(), refresh);
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Layer kept) {
        double gamma = Math.sqrt(config.damping());
        return switch (kept) {
            case Norm norm -> List.of(norm.blocks().job(config.damping()));
            case Factored f -> {
                Function<Graph, Value> pi = graph -> pi(layer, f.a().read(graph), f.g().read(graph));
                yield f.inverses()
                        .jobs(
                                f.g()::read,
                                graph -> pi.apply(graph).map(Expr.of(gamma).div(Expr.arg(0))),
                                f.a()::read,
                                graph -> pi.apply(graph).mul(gamma));
            }
            case Exact f -> f.basis().jobs(f.g()::read, f.a()::read);
        };
    }

    /** pi = sqrt((tr A / i) / (tr G / o)) of each group [groups x 1 x 1], 1 where either is zero. */
    private static Value pi(LayerMatrix layer, Value a, Value g) {
        Value mean = layer.kind() == Kind.EMBEDDING
                ? a.mean().reshape(1, 1, 1)
                : Matrices.trace(a).mul(1.0 / layer.inputs());
        return FactorInverses.pi(mean, Matrices.trace(g).mul(1.0 / layer.outputs()));
    }

    @Override
    protected Value direction(LayerMatrix layer, Layer kept, Value d) {
        return switch (kept) {
            case Norm norm -> norm.blocks().direction(d);
            case Factored f -> f.inverses().direction(d);
            case Exact f ->
                f.basis().divide(d, f.basis().eigenvalues(d.graph()), d.graph().scalar(config.damping()));
        };
    }
}
