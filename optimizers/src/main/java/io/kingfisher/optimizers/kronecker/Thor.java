package io.kingfisher.optimizers.kronecker;

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
import java.util.List;

/**
 * THOR (Chen et al., THOR, trace-based hardware-driven layer-oriented natural gradient descent computation, 2021): K-FAC with
 * the empirical Fisher matrix's factors cut into blocks along their diagonals, sqrt(damping) added to each, and blocks that
 * are left alone once their traces settle. With d the relative change of a block's trace since the last refresh, the block
 * follows where d is above omega1, stays as it is where d is not, and stays for good once d is below omega2.
 *
 * <p>The A of an embedding is the diagonal of its tokens' frequencies. A norm layer's gradient d becomes d / (d^2 / B +
 * sqrt(damping)) for a batch of B.
 */
public final class Thor extends KroneckerOptimizer<Thor.Factors> {
    /**
     * @param damping lambda, above 0
     * @param block the rows of a block
     * @param interval steps between refreshes
     * @param omega1 the change of a trace above which a block follows; 0 to follow any
     * @param omega2 the change below which a block stays for good, at most omega1
     * @param momentum of the heavy ball on the directions
     */
    public record Config(double damping, int block, int interval, double omega1, double omega2, double momentum) {
        public Config {
            if (!(damping > 0) || block < 1 || !(omega2 >= 0 && omega2 <= omega1)) {
                throw new KingfisherException("THOR needs a damping above 0, blocks of at least 1 row and"
                        + " 0 <= omega2 <= omega1, not " + damping + ", " + block + ", " + omega2 + " and " + omega1
                        + ".");
            }
        }

        /** The published settings. */
        public static Config usual() {
            return new Config(0.03, 128, 100, 1e-2, 1e-3, 0.9);
        }
    }

    /**
     * One factor.
     *
     * @param blocks how it is cut, null for a diagonal
     * @param fresh the last estimate [count x size x size], or a diagonal [inputs]
     * @param used the estimate that each block follows
     * @param trace of the last estimate [count x 1 x 1]
     * @param moving 1 where the block may still change [count x 1 x 1]
     */
    public record Side(
            DiagonalBlocks blocks, RunningFactor fresh, Tensor used, Tensor trace, Tensor moving, Tensor inverse) {}

    /** Both sides; none of a norm layer. */
    public record Factors(Side a, Side g) {}

    private final Config config;

    public Thor(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(
                device,
                groups,
                clipping,
                new Rule(config.interval(), config.interval(), Double.POSITIVE_INFINITY, config.momentum()),
                new LabelSource.Empirical());
        this.config = config;
    }

    @Override
    protected Factors keep(LayerMatrix layer) {
        return layer.kind() == Kind.NORM
                ? new Factors(null, null)
                : new Factors(
                        side(layer, "A", layer.inputs(), layer.kind() == Kind.EMBEDDING),
                        side(layer, "G", layer.outputs(), false));
    }

    private Side side(LayerMatrix layer, String name, long n, boolean diagonal) {
        DiagonalBlocks blocks = diagonal ? null : DiagonalBlocks.of(layer.groups(), n, config.block());
        Shape shape = diagonal ? Shape.of(n) : blocks.shape();
        Shape each = diagonal ? Shape.of(1) : Shape.of(shape.dim(0), 1, 1);
        String path = layer.path() + "." + name;
        return new Side(
                blocks,
                factor(layer, name, shape, Averaging.exponential(0, 0)),
                state().tensor(path + ".used", DType.F32, shape, 0),
                state().tensor(path + ".trace", DType.F32, each, 0),
                state().tensor(path + ".moving", DType.F32, each, 1),
                state().tensor(path + ".inverse", DType.F32, shape, 0));
    }

    @Override
    protected void observe(
            LayerMatrix layer, Factors factors, Gradients gradients, List<LabelSource.Draw> draws, Value refresh) {
        if (layer.kind() != Kind.NORM) {
            Moments.Pair fresh = Moments.of(layer, gradients, draws);
            observe(factors.a(), fresh.inputs(), refresh);
            observe(factors.g(), fresh.outputs(), refresh);
        }
    }

    private void observe(Side side, Value estimate, Value refresh) {
        Graph graph = estimate.graph();
        Value fresh = side.blocks() == null ? estimate : side.blocks().take(estimate);
        side.fresh().take(fresh, refresh);
        Value last = side.fresh().read(graph);
        Value trace = side.blocks() == null ? last.sum().reshape(1) : Matrices.trace(last);
        Value before = graph.read(side.trace()), moving = graph.read(side.moving());
        Expr change = Expr.arg(0).sub(Expr.arg(1)).abs();
        Expr follows = Expr.arg(1).mul(config.omega1()).lessThan(change);
        Expr settled = change.lessThan(Expr.arg(1).mul(config.omega2()));
        Value follow = graph.map(follows.mul(Expr.arg(2)), trace, before, moving);
        graph.assign(side.used(), follow.select(last, graph.read(side.used())));
        graph.assign(side.trace(), trace);
        // An estimate that was left out changes nothing, which does not mean that nothing changes.
        Value finite = fresh.mul(0).sum().equalTo(graph.scalar(0));
        graph.assign(
                side.moving(),
                graph.map(
                        Expr.select(settled.mul(Expr.arg(3)), Expr.of(0), Expr.arg(2)), trace, before, moving, finite));
    }

    @Override
    protected List<Decompositions.Job> jobs(LayerMatrix layer, Factors factors) {
        return layer.kind() == Kind.NORM ? List.of() : List.of(job(factors.a()), job(factors.g()));
    }

    private Decompositions.Job job(Side side) {
        double added = Math.sqrt(config.damping());
        String name = side.fresh().name();
        Expr reciprocal = Expr.of(1).div(Expr.arg(0).add(added));
        return side.blocks() == null
                ? new Decompositions.Computed(
                        name, graph -> graph.read(side.used()).map(reciprocal), side.inverse())
                : new Decompositions.Inverse(
                        name, graph -> Matrices.damped(graph.read(side.used()), graph.scalar(added)), side.inverse());
    }

    @Override
    protected Value direction(LayerMatrix layer, Factors factors, Value d) {
        Graph graph = d.graph();
        if (layer.kind() == Kind.NORM) {
            double batch = layer.captures().stream()
                    .mapToDouble(capture -> capture.a().dim(0))
                    .sum();
            Expr squares = Expr.arg(0).square().mul(1 / batch);
            return d.map(Expr.arg(0).div(squares.add(Math.sqrt(config.damping()))));
        }
        Value half = factors.g().blocks().timesLeft(graph.read(factors.g().inverse()), d);
        Value right = graph.read(factors.a().inverse());
        return factors.a().blocks() == null
                ? half.mul(right)
                : factors.a().blocks().times(half, right);
    }
}
