package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.KroneckerOptimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.BasisMoments;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.Eigenbasis;
import io.kingfisher.optimizers.curvature.Health;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.NormBlocks;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * EKFAC (George et al., 2018): in the basis of K-FAC's eigenvectors the Fisher block of a layer has the diagonal S =
 * E[(Ug^T g a^T Ua)^2], which is the best one there in the Frobenius norm. The gradient D becomes Ug ((Ug^T D Ua) / (S +
 * damping)) Ua^T.
 *
 * <p>S begins anew with each basis, as the diagonal dg da^T of K-FAC, and from then on is an exponential average of one of the
 * {@link Estimate}s. Norm layers have exact blocks, as in K-FAC.
 */
public class Ekfac extends KroneckerOptimizer<Ekfac.Layer> {
    /** What S is the average of. */
    public enum Estimate {
        /** Squared gradients of samples, at each refresh of the factors (algorithm 1). */
        SAMPLES,
        /** The same with every place (pixel, token) as a sample of its own: cheaper where a layer is applied at several. */
        PLACES,
        /** N (Ug^T D Ua)^2 of the gradient D of N samples, in every step (EKFAC-ra, section 4.2): needs no statistics. */
        GRADIENT
    }

    /**
     * @param damping above 0, in units of the Fisher matrix
     * @param estimate what S is the average of
     * @param memory alpha of S = alpha S + (1 - alpha) estimate
     * @param decay of the averages of the factors, the {@code kfac} rule
     * @param labels whose gradients G and S are made of; {@link Estimate#GRADIENT} has those of the data for S
     * @param factorInterval steps between statistics
     * @param basisInterval steps between new bases; longer than {@code factorInterval} unless S is of every step's gradient
     * @param clip kappa of the bound on the step's squared length in the Fisher norm; infinite for none
     * @param momentum of the heavy ball on the preconditioned gradient
     */
    public record Config(
            double damping,
            Estimate estimate,
            double memory,
            double decay,
            LabelSource labels,
            int factorInterval,
            int basisInterval,
            double clip,
            double momentum) {
        public Config {
            if (!(damping > 0) || basisInterval < 1) {
                throw new KingfisherException("EKFAC needs a damping above 0 and an interval of at least 1 step, not "
                        + damping + " and " + basisInterval + ".");
            }
            if (estimate != Estimate.GRADIENT && basisInterval <= factorInterval) {
                throw new KingfisherException(
                        "EKFAC takes its second moments between two bases: the interval of bases, "
                                + basisInterval + " steps, must be longer than that of statistics, " + factorInterval
                                + "; or let it take them of the gradient.");
            }
        }
    }

    /** What is kept for a layer. */
    public sealed interface Layer {}

    /** A norm layer's own blocks. */
    public record Norm(NormBlocks blocks) implements Layer {}

    /** The factors, the basis that they give, and S [groups x outputs x inputs] in it. */
    public record Corrected(RunningFactor a, RunningFactor g, Eigenbasis basis, RunningFactor s) implements Layer {}

    private final Config config;

    public Ekfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.factorInterval(), config.basisInterval(), config.clip(), config.momentum()),
                config.labels());
        this.config = config;
    }

    /** S is the diagonal of the curvature in its eigenbasis. */
    @Override
    public List<Health> health() {
        String end = ".S";
        return state().tensors().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(end))
                .map(entry -> Health.of(
                        entry.getKey().substring(0, entry.getKey().length() - end.length()),
                        entry.getValue().doubles(),
                        config.damping()))
                .toList();
    }

    @Override
    protected Layer keep(LayerMatrix layer) {
        Averaging rule = Averaging.kfac(config.decay());
        if (layer.kind() == Kind.NORM) {
            return new Norm(NormBlocks.of(state(), factor(layer, "A", NormBlocks.shape(layer), rule)));
        }
        RunningFactor a = factor(layer, "A", Moments.inputShape(layer), rule);
        RunningFactor g = factor(layer, "G", Moments.outputShape(layer), rule);
        Shape matrix = Shape.of(layer.groups(), layer.outputs(), layer.inputs());
        return new Corrected(
                a,
                g,
                new Eigenbasis(state(), layer, g.name(), a.name()),
                factor(layer, "S", matrix, Averaging.exponential(config.memory(), 0)));
    }

    @Override
    protected void observe(
            LayerMatrix layer, Layer kept, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        switch (kept) {
            case Norm norm -> norm.blocks().observe(layer, gradients, draws, refresh);
            case Corrected c -> {
                Moments.Pair fresh = moments(layer, gradients, draws);
                c.a().take(fresh.inputs(), refresh);
                c.g().take(fresh.outputs(), refresh);
                if (config.estimate() != Estimate.GRADIENT) {
                    BasisMoments.Unit sharing = config.estimate() == Estimate.SAMPLES
                            ? BasisMoments.Unit.SAMPLES
                            : BasisMoments.Unit.PLACES;
                    c.s().take(BasisMoments.of(layer, c.basis(), gradients, draws, sharing), refresh);
                }
            }
        }
    }

    /** The estimates of the factors whose eigenvectors are the basis. */
    protected Moments.Pair moments(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        return Moments.of(layer, gradients, draws);
    }

    /** What S is in a new basis, until something else is known. */
    protected Value start(Corrected c, Graph graph) {
        return c.basis().eigenvalues(graph);
    }

    /** What is added to S; it broadcasts to its shape. */
    protected Value damping(Value s) {
        return s.graph().scalar(config.damping());
    }

    /** The settings. */
    protected final Config config() {
        return config;
    }

    @Override
    protected void follow(LayerMatrix layer, Layer kept, Gradients gradients) {
        if (config.estimate() == Estimate.GRADIENT && kept instanceof Corrected c) {
            Value rotated = c.basis().into(layer.matrix(gradients::of));
            Value estimate = rotated.square().mul(gradients.samples());
            c.s().take(estimate, estimate.graph().scalar(1));
        }
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Layer kept) {
        return switch (kept) {
            case Norm norm -> List.of(norm.blocks().job(config.damping()));
            case Corrected c -> {
                List<Decompositions.Job> jobs = new ArrayList<>(c.basis().jobs(c.g()::read, c.a()::read));
                jobs.add(new Decompositions.Computed(c.s().name(), graph -> start(c, graph), c.s().average()));
                yield jobs;
            }
        };
    }

    @Override
    protected Value direction(LayerMatrix layer, Layer kept, Value d) {
        Graph graph = d.graph();
        return switch (kept) {
            case Norm norm -> norm.blocks().direction(d);
            case Corrected c -> {
                Value s = c.s().read(graph);
                yield c.basis().divide(d, s, damping(s));
            }
        };
    }
}
