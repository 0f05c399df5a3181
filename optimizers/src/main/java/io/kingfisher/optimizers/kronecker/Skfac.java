package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.KroneckerOptimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.FactorInverses;
import io.kingfisher.optimizers.curvature.FactorRows;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.NormBlocks;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * SKFAC (Tang et al., SKFAC: training neural networks with faster Kronecker-factored approximate curvature, 2021): K-FAC's
 * factors of a single batch have no more rank than the batch has samples, so that only matrices of that size are inverted
 * (Sherman, Morrison and Woodbury): of A = U^T U with rows U, (A + c I)^-1 = (I - U^T (U U^T + c I)^-1 U) / c.
 *
 * <p>A sample of a convolution is an image, its patches averaged and its gradients added up ("reduce sum"); those of a linear
 * layer are its rows, and the curvature then is that of K-FAC. Where there are more samples than inputs or outputs, the
 * factor itself is inverted. Embeddings and norm layers have K-FAC's rules.
 */
public final class Skfac extends KroneckerOptimizer<Skfac.Layer> {
    /**
     * @param damping lambda, above 0, in units of the Fisher matrix, and divided among the factors as K-FAC does
     * @param interval steps between refreshes
     * @param clip kappa of the bound on the step's squared length in the Fisher norm; infinite for none
     * @param momentum of the heavy ball on the directions
     */
    public record Config(double damping, int interval, double clip, double momentum) {
        public Config {
            if (!(damping > 0)) {
                throw new KingfisherException("SKFAC needs a damping above 0, not " + damping + ".");
            }
        }

        /** The published settings. */
        public static Config usual() {
            return new Config(0.03, 100, 1e-3, 0.9);
        }
    }

    /** What is kept for a layer. */
    public sealed interface Layer {}

    /** The rows of both factors. */
    public record Rows(RowFactor a, RowFactor g) implements Layer {}

    /** An embedding's factors and their inverses. */
    public record Table(RunningFactor a, RunningFactor g, FactorInverses inverses) implements Layer {}

    /** A norm layer's own blocks. */
    public record Norm(NormBlocks blocks) implements Layer {}

    private final Config config;

    public Skfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.interval(), config.interval(), config.clip(), config.momentum()),
                new LabelSource.Empirical());
        this.config = config;
    }

    @Override
    protected Layer keep(LayerMatrix layer) {
        return switch (layer.kind()) {
            case LINEAR, CONVOLUTION -> new Rows(rows(layer, "A", layer.inputs()), rows(layer, "G", layer.outputs()));
            case EMBEDDING -> {
                RunningFactor a = last(layer, "A", Moments.inputShape(layer));
                RunningFactor g = last(layer, "G", Moments.outputShape(layer));
                yield new Table(a, g, new FactorInverses(state(), layer, g.name(), a.name()));
            }
            case NORM -> new Norm(NormBlocks.of(state(), last(layer, "A", NormBlocks.shape(layer))));
        };
    }

    private RowFactor rows(LayerMatrix layer, String name, long width) {
        long rows = FactorRows.count(layer);
        boolean few = rows < width;
        RunningFactor kept = last(layer, name, Shape.of(layer.groups(), few ? rows : width, width));
        return RowFactor.of(state(), kept, few);
    }

    private RunningFactor last(LayerMatrix layer, String name, Shape shape) {
        return factor(layer, name, shape, Averaging.exponential(0, 0));
    }

    @Override
    protected void observe(
            LayerMatrix layer, Layer kept, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        switch (kept) {
            case Rows rows -> {
                rows.a().take(FactorRows.inputs(layer), refresh);
                rows.g().take(FactorRows.outputs(layer, gradients), refresh);
            }
            case Table table -> {
                Moments.Pair fresh = Moments.of(layer, gradients, draws);
                table.a().take(fresh.inputs(), refresh);
                table.g().take(fresh.outputs(), refresh);
            }
            case Norm norm -> norm.blocks().observe(layer, gradients, draws, refresh);
        }
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Layer kept) {
        double gamma = Math.sqrt(config.damping());
        Expr share = Expr.of(gamma).div(Expr.arg(0));
        return switch (kept) {
            case Rows rows -> {
                Function<Graph, Value> pi = graph ->
                        FactorInverses.pi(rows.a().mean(graph), rows.g().mean(graph));
                List<Decompositions.Job> jobs = new ArrayList<>();
                jobs.addAll(rows.a().jobs(graph -> pi.apply(graph).mul(gamma)));
                jobs.addAll(rows.g().jobs(graph -> pi.apply(graph).map(share)));
                yield jobs;
            }
            case Table table -> {
                Function<Graph, Value> pi = graph -> FactorInverses.pi(
                        table.a().read(graph).mean().reshape(1, 1, 1),
                        Matrices.trace(table.g().read(graph)).mul(1.0 / layer.outputs()));
                yield table.inverses()
                        .jobs(
                                table.g()::read,
                                graph -> pi.apply(graph).map(share),
                                table.a()::read,
                                graph -> pi.apply(graph).mul(gamma));
            }
            case Norm norm -> List.of(norm.blocks().job(config.damping()));
        };
    }

    @Override
    protected Value direction(LayerMatrix layer, Layer kept, Value d) {
        return switch (kept) {
            case Rows rows -> rows.a().times(rows.g().timesLeft(d));
            case Table table -> table.inverses().direction(d);
            case Norm norm -> norm.blocks().direction(d);
        };
    }
}
