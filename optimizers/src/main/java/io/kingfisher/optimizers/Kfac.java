package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Matrices;
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
import java.util.function.Function;

/**
 * K-FAC (Martens and Grosse, 2015), KFC for convolutions (Grosse and Martens, 2016): the Fisher block of a layer is A (x) G, the
 * second moments of its inputs and of its outputs' gradients, and the gradient D becomes G^-1 D A^-1.
 */
public final class Kfac extends KroneckerOptimizer<Kfac.Factors> {
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

    /**
     * The factors of a layer and what is made of them; a is a diagonal for embeddings, and F itself for norm layers, which
     * have no g.
     */
    public record Factors(RunningFactor a, RunningFactor g, Side left, Side right) {}

    /** What stands for one factor in the product: its damped inverse, or its eigenvalues and (no diagonal) eigenvectors. */
    public record Side(Tensor inverse, Tensor values, Tensor vectors) {}

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
    protected Factors keep(LayerMatrix layer) {
        Shape left = Shape.of(layer.groups(), layer.outputs(), layer.outputs());
        Shape right = Shape.of(layer.groups(), layer.inputs(), layer.inputs());
        boolean table = layer.kind() == Kind.EMBEDDING, norm = layer.kind() == Kind.NORM;
        return new Factors(
                factor(layer, "A", table ? Shape.of(layer.inputs()) : right),
                norm ? null : factor(layer, "G", left),
                norm ? null : side(layer, "G", left),
                table ? diagonal(layer) : side(layer, "A", right));
    }

    private RunningFactor factor(LayerMatrix layer, String name, Shape shape) {
        return factor(layer, name, shape, Averaging.kfac(config.decay()));
    }

    private Side side(LayerMatrix layer, String name, Shape shape) {
        String path = layer.path() + "." + name;
        return config.how() == Damping.FACTORED || layer.kind() == Kind.NORM
                ? new Side(state().tensor(path + ".inverse", DType.F32, shape, 0), null, null)
                : new Side(
                        null,
                        state().tensor(path + ".values", DType.F32, shape.slice(0, 2), 0),
                        state().tensor(path + ".vectors", DType.F32, shape, 0));
    }

    private Side diagonal(LayerMatrix layer) {
        String path = layer.path() + ".A", name = config.how() == Damping.FACTORED ? ".inverse" : ".values";
        Tensor numbers = state().tensor(path + name, DType.F32, Shape.of(1, layer.inputs()), 0);
        return config.how() == Damping.FACTORED ? new Side(numbers, null, null) : new Side(null, numbers, null);
    }

    @Override
    protected void observe(
            LayerMatrix layer, Factors factors, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        if (layer.kind() == Kind.NORM) {
            factors.a().take(Moments.norm(layer, gradients, draws), refresh);
        } else {
            Moments.Pair fresh = Moments.of(layer, gradients, draws);
            factors.a().take(fresh.inputs(), refresh);
            factors.g().take(fresh.outputs(), refresh);
        }
    }

    /** pi = sqrt((tr A / i) / (tr G / o)) of each group [groups x 1 x 1], 1 where either is zero. */
    private static Value pi(LayerMatrix layer, Value a, Value g) {
        Value mean = layer.kind() == Kind.EMBEDDING
                ? a.mean().reshape(1, 1, 1)
                : Matrices.trace(a).mul(1.0 / layer.inputs());
        Expr one = Expr.arg(0), other = Expr.arg(1);
        Expr positive = Expr.of(0).lessThan(one).mul(Expr.of(0).lessThan(other));
        Expr ratio = one.div(Expr.select(positive, other, Expr.of(1))).sqrt();
        return a.graph()
                .map(
                        Expr.select(positive, ratio, Expr.of(1)),
                        mean,
                        Matrices.trace(g).mul(1.0 / layer.outputs()));
    }

    private Value damped(Value factor, Value by) {
        Value eye = Matrices.identity(factor.graph(), factor.dim(-1), factor.dtype());
        return factor.graph().map(Expr.arg(0).add(Expr.arg(1).mul(Expr.arg(2))), factor, eye, by);
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Factors factors) {
        double gamma = Math.sqrt(config.damping());
        List<Decompositions.Job> jobs = new ArrayList<>();
        if (layer.kind() == Kind.NORM) {
            jobs.add(new Decompositions.Inverse(
                    factors.a().name(),
                    graph -> damped(factors.a().read(graph), graph.scalar(config.damping())),
                    factors.right().inverse()));
            return jobs;
        }
        boolean exact = config.how() == Damping.EXACT;
        Function<Graph, Value> pi =
                graph -> pi(layer, factors.a().read(graph), factors.g().read(graph));
        if (layer.kind() == Kind.EMBEDDING) {
            jobs.add(new Decompositions.Computed(
                    factors.a().name(),
                    graph -> {
                        Value a = factors.a().read(graph).reshape(1, layer.inputs());
                        Expr inverse =
                                Expr.of(1).div(Expr.arg(0).add(Expr.arg(1).mul(gamma)));
                        return exact ? a : graph.map(inverse, a, pi.apply(graph).reshape(1, 1));
                    },
                    exact ? factors.right().values() : factors.right().inverse()));
        } else {
            jobs.add(job(factors.a(), factors.right(), graph -> {
                Value a = factors.a().read(graph);
                return exact ? a : damped(a, pi.apply(graph).mul(gamma));
            }));
        }
        jobs.add(job(factors.g(), factors.left(), graph -> {
            Value g = factors.g().read(graph);
            return exact ? g : damped(g, pi.apply(graph).map(Expr.of(gamma).div(Expr.arg(0))));
        }));
        return jobs;
    }

    private static Decompositions.Job job(RunningFactor factor, Side side, Function<Graph, Value> matrix) {
        return side.inverse() != null
                ? new Decompositions.Inverse(factor.name(), matrix, side.inverse())
                : new Decompositions.Eigen(factor.name(), matrix, side.values(), side.vectors());
    }

    @Override
    protected Value direction(LayerMatrix layer, Factors factors, Value d) {
        Graph graph = d.graph();
        if (layer.kind() == Kind.NORM) {
            return d.matmul(graph.read(factors.right().inverse()));
        }
        return config.how() == Damping.FACTORED ? factored(layer, factors, d) : exact(layer, factors, d);
    }

    private Value factored(LayerMatrix layer, Factors factors, Value d) {
        Graph graph = d.graph();
        Value left = graph.read(factors.left().inverse()).matmul(d);
        Value right = graph.read(factors.right().inverse());
        return layer.kind() == Kind.EMBEDDING ? left.mul(right.reshape(1, 1, layer.inputs())) : left.matmul(right);
    }

    /** Ug ((Ug^T D Ua) / (dg da^T + damping)) Ua^T. */
    private Value exact(LayerMatrix layer, Factors factors, Value d) {
        Graph graph = d.graph();
        Value ug = graph.read(factors.left().vectors());
        Value rotated = ug.matmul(d, true, false);
        Value dg = graph.read(factors.left().values()),
                da = graph.read(factors.right().values());
        Value ua = null;
        if (factors.right().vectors() != null) {
            ua = graph.read(factors.right().vectors());
            rotated = rotated.matmul(ua);
        }
        Expr divided = Expr.arg(0).div(Expr.arg(1).mul(Expr.arg(2)).add(config.damping()));
        Value scaled = graph.map(
                divided,
                rotated,
                dg.reshape(layer.groups(), layer.outputs(), 1),
                da.reshape(layer.groups(), 1, layer.inputs()));
        Value back = ug.matmul(scaled);
        return ua == null ? back : back.matmul(ua, false, true);
    }
}
