package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.KroneckerOptimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Means;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * FOOF (Benzing, Gradient descent on neurons and its link to approximate second-order optimization, 2022): weights change so
 * that outputs move along their gradients, by ridge regression on the inputs: D becomes V (A + damping I)^-1, V being the sum
 * of gradients with momentum and A the second moment of the inputs, a constant 1 for a bias among them.
 *
 * <p>Embeddings have one-hot inputs and so a diagonal A; norm layers a matrix [2 x 2] of each channel's normalised input. A
 * table that is looked up and also makes the logits has the regression of both, B V' + V' A + damping V' = V with B the
 * second moment of what makes the logits, solved by the eigenvectors of B.
 */
public final class Foof extends KroneckerOptimizer<Foof.Inputs> {
    /**
     * @param damping lambda, above 0, in units of A, the mean over samples and places
     * @param decay of the average of A, which is corrected for its start from zero
     * @param factorInterval steps between estimates of A
     * @param inverseInterval steps between inversions
     * @param momentum of the sum of gradients
     */
    public record Config(double damping, double decay, int factorInterval, int inverseInterval, double momentum) {
        public Config {
            if (!(damping > 0) || inverseInterval < 1) {
                throw new KingfisherException("FOOF needs a damping above 0 and an interval of at least 1 step, not "
                        + damping + " and " + inverseInterval + ".");
            }
        }

        /** The published settings, the estimates being of ten batches for each inversion. */
        public static Config usual() {
            return new Config(0.1, 0.95, 10, 100, 0.9);
        }
    }

    /**
     * What is kept for a layer.
     *
     * @param a the moments of inputs [groups x inputs x inputs], or a diagonal [inputs]
     * @param inverse of the damped a; of a table that makes logits, a itself
     * @param b the moments of what makes the logits, or null
     * @param values the eigenvalues of b, or null
     * @param vectors the eigenvectors of b, or null
     */
    public record Inputs(RunningFactor a, Tensor inverse, RunningFactor b, Tensor values, Tensor vectors) {}

    private final Config config;

    public Foof(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(
                        config.factorInterval(), config.inverseInterval(), Double.POSITIVE_INFINITY, config.momentum()),
                new LabelSource.None());
        this.config = config;
    }

    @Override
    protected boolean momentumFirst() {
        return true;
    }

    @Override
    protected Inputs keep(LayerMatrix layer) {
        Shape a = Moments.inputShape(layer), b = Moments.outputShape(layer);
        boolean tied = Means.tied(layer);
        Averaging rule = Averaging.corrected(config.decay());
        return new Inputs(
                factor(layer, "A", a, rule),
                tensor(layer, "A.inverse", a),
                tied ? factor(layer, "B", b, rule) : null,
                tied ? tensor(layer, "B.values", b.slice(0, 2)) : null,
                tied ? tensor(layer, "B.vectors", b) : null);
    }

    private Tensor tensor(LayerMatrix layer, String name, Shape shape) {
        return state().tensor(layer.path() + "." + name, DType.F32, shape, 0);
    }

    @Override
    protected void observe(
            LayerMatrix layer, Inputs inputs, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        if (inputs.b() == null) {
            inputs.a().take(Moments.inputs(layer), refresh);
        } else {
            inputs.a().take(Moments.inputs(layer.only(Capture.Embedding.class)), refresh);
            inputs.b().take(Moments.features(layer.only(Capture.Linear.class)), refresh);
        }
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Inputs inputs) {
        RunningFactor a = inputs.a();
        List<Decompositions.Job> jobs = new ArrayList<>();
        if (layer.kind() != Kind.EMBEDDING) {
            jobs.add(new Decompositions.Inverse(
                    a.name(),
                    graph -> Matrices.damped(a.read(graph), graph.scalar(config.damping())),
                    inputs.inverse()));
        } else if (inputs.b() == null) {
            Expr inverse = Expr.of(1).div(Expr.arg(0).add(config.damping()));
            jobs.add(
                    new Decompositions.Computed(a.name(), graph -> a.read(graph).map(inverse), inputs.inverse()));
        } else {
            jobs.add(new Decompositions.Computed(a.name(), a::read, inputs.inverse()));
            jobs.add(new Decompositions.Eigen(inputs.b().name(), inputs.b()::read, inputs.values(), inputs.vectors()));
        }
        return jobs;
    }

    @Override
    protected Value direction(LayerMatrix layer, Inputs inputs, Value v) {
        Graph graph = v.graph();
        Value inverse = graph.read(inputs.inverse());
        if (layer.kind() != Kind.EMBEDDING) {
            return v.matmul(inverse);
        }
        if (inputs.b() == null) {
            return v.mul(inverse);
        }
        Value u = graph.read(inputs.vectors());
        Expr divided = Expr.arg(0).div(Expr.arg(1).add(Expr.arg(2)).add(config.damping()));
        Value values = graph.read(inputs.values()).reshape(1, layer.outputs(), 1);
        return u.matmul(graph.map(divided, u.matmul(v, true, false), values, inverse));
    }
}
