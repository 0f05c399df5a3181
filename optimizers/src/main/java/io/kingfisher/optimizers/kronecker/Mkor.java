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
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Means;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;

/**
 * MKOR (Mozaffari et al., MKOR: momentum-enabled Kronecker-factor-based optimizer using rank-1 updates, 2023): the inverses of
 * both factors are kept and follow F = gamma F + (1 - gamma) v v^T, v being the mean of a layer's inputs or of its outputs'
 * gradients, by Sherman and Morrison's formula, so that nothing is ever decomposed; D becomes L^-1 D R^-1 with the length of
 * D. The printed update has another sign and other powers of gamma; this is the exact one.
 *
 * <p>Embeddings, tables that make logits and norm layers are updated with their gradient, as published.
 */
public final class Mkor extends KroneckerOptimizer<Mkor.Inverses> {
    /** What an element of a vector is cut off at. */
    private static final double LARGEST = 100;

    /**
     * @param gamma the weight of a factor's past, above 0 and below 1
     * @param interval steps between updates of the inverses
     * @param threshold what no element of an inverse may exceed; where one does, the inverse is mixed with the identity
     * @param zeta the inverse's share in that mixture
     * @param momentum of the heavy ball on the directions
     */
    public record Config(double gamma, int interval, double threshold, double zeta, double momentum) {
        public Config {
            if (!(gamma > 0 && gamma < 1) || !(threshold > 0) || !(zeta >= 0 && zeta <= 1)) {
                throw new KingfisherException("MKOR needs a gamma above 0 and below 1, a threshold above 0 and a zeta"
                        + " from 0 to 1, not " + gamma + ", " + threshold + " and " + zeta + ".");
            }
        }

        /** The published settings. */
        public static Config usual() {
            return new Config(0.9, 10, 2, 0.9, 0.9);
        }
    }

    /** The last vectors and the inverses [groups x n x n]: right of the inputs, left of the outputs' gradients. */
    public record Inverses(RunningFactor a, RunningFactor g, Tensor right, Tensor left) {}

    private final Config config;

    public Mkor(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.interval(), 0, Double.POSITIVE_INFINITY, config.momentum()),
                new LabelSource.None());
        this.config = config;
    }

    @Override
    protected boolean covers(LayerMatrix layer) {
        return layer.kind() == Kind.LINEAR || layer.kind() == Kind.CONVOLUTION;
    }

    @Override
    protected Inverses keep(LayerMatrix layer) {
        Averaging last = Averaging.exponential(0, 0);
        return new Inverses(
                factor(layer, "a", Shape.of(layer.groups(), layer.inputs()), last),
                factor(layer, "g", Shape.of(layer.groups(), layer.outputs()), last),
                identity(layer.path() + ".A.inverse", layer.groups(), layer.inputs()),
                identity(layer.path() + ".G.inverse", layer.groups(), layer.outputs()));
    }

    private Tensor identity(String name, long groups, long n) {
        Tensor tensor = state().tensor(name, DType.F32, Shape.of(groups, n, n), 0);
        for (long i = 0; i < groups * n; i++) {
            tensor.set(i * n + i % n, 1);
        }
        return tensor;
    }

    @Override
    protected void observe(
            LayerMatrix layer, Inverses inverses, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        Means fresh = Means.of(layer, gradients).get(0);
        follow(inverses.a(), inverses.right(), fresh.inputs(), refresh);
        follow(inverses.g(), inverses.left(), fresh.outputs(), refresh);
    }

    /** F^-1 / gamma - (1 - gamma) / gamma^2 / (1 + (1 - gamma) / gamma v^T F^-1 v) (F^-1 v) (F^-1 v)^T. */
    private void follow(RunningFactor last, Tensor inverse, Value fresh, Value refresh) {
        Graph graph = fresh.graph();
        long groups = fresh.dim(0), n = fresh.dim(1);
        last.take(fresh, refresh);
        Expr bounded = Expr.arg(0).max(Expr.of(-LARGEST)).min(Expr.of(LARGEST));
        Value v = last.read(graph).map(bounded), before = graph.read(inverse);
        Value u = before.matmul(v.reshape(groups, n, 1));
        Value product = v.mul(u.reshape(groups, n)).sum(1).reshape(groups, 1, 1);
        double gamma = config.gamma(), ratio = (1 - gamma) / gamma;
        Expr weight = Expr.of(ratio / gamma).div(Expr.of(1).add(Expr.arg(3).mul(ratio)));
        Expr exact = Expr.arg(0).mul(1 / gamma).sub(weight.mul(Expr.arg(1)).mul(Expr.arg(2)));
        Value next = graph.map(exact, before, u, u.reshape(groups, 1, n), product);
        Value largest = next.abs().reduce(Reduce.Kind.MAX, true, 1, 2);
        Expr mixed = Expr.arg(0).mul(config.zeta()).add(Expr.arg(2).mul(1 - config.zeta()));
        Expr stable = Expr.select(Expr.of(config.threshold()).lessThan(Expr.arg(1)), mixed, Expr.arg(0));
        Value settled = graph.map(stable, next, largest, Matrices.identity(graph, n, DType.F32));
        // A vector that is not finite was left out of the last ones, and is no reason to take in the one before twice.
        Value finite = fresh.mul(0).sum().equalTo(graph.scalar(0));
        graph.assign(inverse, finite.select(settled, before));
    }

    @Override
    protected Map<Parameter, Value> directions(LayerMatrix layer, Inverses inverses, Map<Parameter, Value> gradients) {
        return Norms.restored(super.directions(layer, inverses, gradients), gradients);
    }

    @Override
    protected Value direction(LayerMatrix layer, Inverses inverses, Value d) {
        Graph graph = d.graph();
        return graph.read(inverses.left()).matmul(d).matmul(graph.read(inverses.right()));
    }
}
