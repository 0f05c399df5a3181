package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.KroneckerOptimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Means;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Eva (Zhang et al., Eva: practical second-order optimization with Kronecker-vectorized approximation, 2023): the block of a
 * layer is that of the product of two vectors, the means a of its inputs and g of its outputs' gradients, so that by Sherman and
 * Morrison D becomes (D - c g a^T) / damping, c = g^T D a / (damping + |a|^2 |g|^2).
 *
 * <p>A table that is looked up and also makes the logits has two such products and the 2 x 2 system of their inner products
 * for the two c. Norm layers are updated with their gradient, as published.
 */
public final class Eva extends KroneckerOptimizer<Eva.Vectors> {
    /**
     * @param damping lambda, above 0
     * @param fresh the weight xi of the fresh means in their averages, above 0
     * @param interval steps between fresh means
     * @param clip kappa of the bound on the step's squared length; where 0, each layer's direction gets its gradient's norm
     *     instead
     * @param momentum of the heavy ball on the directions
     */
    public record Config(double damping, double fresh, int interval, double clip, double momentum) {
        public Config {
            if (!(damping > 0) || !(fresh > 0 && fresh <= 1) || !(clip >= 0)) {
                throw new KingfisherException(
                        "Eva needs a damping above 0, a weight of fresh means above 0 and at most 1 and a clip of at"
                                + " least 0, not " + damping + ", " + fresh + " and " + clip + ".");
            }
        }

        /** The published settings. */
        public static Config usual() {
            return new Config(0.03, 0.95, 1, 1e-3, 0.9);
        }
    }

    /** The averaged means of each use of a layer's matrix: one, or two for a table that also makes the logits. */
    public record Vectors(List<RunningFactor> a, List<RunningFactor> g) {}

    /** A rank-one term as it meets matrices [groups x outputs x inputs]. */
    private record Term(Value a, Value g) {
        /** g^T D a [groups x 1 x 1] of matrices that are D side by side. */
        Value of(List<Value> ds) {
            Expr product = Expr.arg(0).mul(Expr.arg(1)).mul(Expr.arg(2));
            List<Value> parts = new ArrayList<>();
            long from = 0;
            for (Value d : ds) {
                Value part = d.graph().map(product, d, g, a.slice(2, from, from + d.dim(2)));
                parts.add(Eva.sum(part));
                from += d.dim(2);
            }
            return a.graph().sum(parts);
        }

        /** The inner product of g a^T with another. */
        Value dot(Term other) {
            return Eva.sum(a.mul(other.a)).mul(Eva.sum(g.mul(other.g)));
        }
    }

    private final Config config;

    public Eva(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(
                        config.interval(),
                        0,
                        config.clip() == 0 ? Double.POSITIVE_INFINITY : config.clip(),
                        config.momentum()),
                new LabelSource.None());
        this.config = config;
    }

    @Override
    protected boolean covers(LayerMatrix layer) {
        return layer.kind() != Kind.NORM;
    }

    @Override
    protected Vectors keep(LayerMatrix layer) {
        Averaging rule = Averaging.kfac(1 - config.fresh());
        List<RunningFactor> a = new ArrayList<>(), g = new ArrayList<>();
        for (String use : Means.tied(layer) ? List.of("", ".logits") : List.of("")) {
            a.add(factor(layer, "a" + use, Shape.of(layer.groups(), layer.inputs()), rule));
            g.add(factor(layer, "g" + use, Shape.of(layer.groups(), layer.outputs()), rule));
        }
        return new Vectors(a, g);
    }

    @Override
    protected void observe(
            LayerMatrix layer, Vectors vectors, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        List<Means> fresh = Means.of(layer, gradients);
        for (int i = 0; i < fresh.size(); i++) {
            vectors.a().get(i).take(fresh.get(i).inputs(), refresh);
            vectors.g().get(i).take(fresh.get(i).outputs(), refresh);
        }
    }

    @Override
    protected Map<Parameter, Value> directions(LayerMatrix layer, Vectors vectors, Map<Parameter, Value> gradients) {
        Map<Parameter, Value> found = new LinkedHashMap<>();
        if (layer.homogeneous()) {
            // Weight and bias side by side would have to be copied; what is done to them is done to each column alone.
            List<Value> columns = new ArrayList<>();
            gradients.values().forEach(g -> columns.add(g.reshape(layer.groups(), layer.outputs(), -1)));
            List<Value> all = directions(layer, vectors, columns);
            gradients.forEach((p, _) -> found.put(p, all.get(found.size()).reshape(p.shape())));
        } else {
            found.putAll(super.directions(layer, vectors, gradients));
        }
        return config.clip() == 0 ? Norms.restored(found, gradients) : found;
    }

    @Override
    protected Value direction(LayerMatrix layer, Vectors vectors, Value d) {
        return directions(layer, vectors, List.of(d)).get(0);
    }

    /** The directions for matrices [groups x outputs x any] that are D side by side. */
    private List<Value> directions(LayerMatrix layer, Vectors vectors, List<Value> ds) {
        Graph graph = ds.get(0).graph();
        List<Term> terms = IntStream.range(0, vectors.a().size())
                .mapToObj(i -> new Term(
                        vectors.a().get(i).read(graph).reshape(layer.groups(), 1, layer.inputs()),
                        vectors.g().get(i).read(graph).reshape(layer.groups(), layer.outputs(), 1)))
                .toList();
        List<Value> c = coefficients(terms, ds);
        List<Value> found = new ArrayList<>();
        long from = 0;
        for (Value d : ds) {
            List<Value> operands = new ArrayList<>(List.of(d));
            Expr rest = Expr.arg(0);
            for (int i = 0; i < terms.size(); i++) {
                rest = rest.sub(Expr.arg(3 * i + 1).mul(Expr.arg(3 * i + 2)).mul(Expr.arg(3 * i + 3)));
                operands.addAll(
                        List.of(c.get(i), terms.get(i).g(), terms.get(i).a().slice(2, from, from + d.dim(2))));
            }
            found.add(graph.map(rest.div(config.damping()), DType.F32, operands));
            from += d.dim(2);
        }
        return found;
    }

    /** The c of each term [groups x 1 x 1]: c of (damping I + K) c = q, K and q being inner products of terms and with D. */
    private List<Value> coefficients(List<Term> terms, List<Value> ds) {
        Graph graph = ds.get(0).graph();
        Term one = terms.get(0);
        Expr lambda = Expr.of(config.damping());
        if (terms.size() == 1) {
            return List.of(graph.map(Expr.arg(0).div(lambda.add(Expr.arg(1))), one.of(ds), one.dot(one)));
        }
        Term two = terms.get(1);
        Expr k11 = lambda.add(Expr.arg(0)), k12 = Expr.arg(1), k22 = lambda.add(Expr.arg(2));
        Expr determinant = k11.mul(k22).sub(k12.square()), q1 = Expr.arg(3), q2 = Expr.arg(4);
        Value[] system = {one.dot(one), one.dot(two), two.dot(two), one.of(ds), two.of(ds)};
        return List.of(
                graph.map(k22.mul(q1).sub(k12.mul(q2)).div(determinant), system),
                graph.map(k11.mul(q2).sub(k12.mul(q1)).div(determinant), system));
    }

    private static Value sum(Value v) {
        return v.sum(1, 2).reshape(v.dim(0), 1, 1);
    }
}
