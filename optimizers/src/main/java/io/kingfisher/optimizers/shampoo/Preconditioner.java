package io.kingfisher.optimizers.shampoo;

import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.NewtonRoots;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.optimizers.shampoo.Tiling.Tile;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shampoo's preconditioner of a tile's blocks: for each mode i the second moment H_i of the gradients' slices, and its inverse
 * p-th root.
 */
public final class Preconditioner {
    /**
     * @param averaging of the second moments
     * @param ridge under them
     * @param root p; 0 for twice the number of modes
     * @param newton takes the roots; by eigenvalues where empty
     * @param largest the extent up to which a mode's second moment is a matrix; beyond, its diagonal
     */
    record Rule(Averaging averaging, Roots.Ridge ridge, double root, Optional<NewtonRoots> newton, long largest) {}

    /** A mode's second moment, and its root where it is a matrix. */
    private record Side(RunningFactor factor, Tensor root) {}

    private final Rule rule;
    private final double p;
    private final List<Side> sides = new ArrayList<>();

    Preconditioner(ModeOptimizer<?> owner, Rule rule, String path, Tile tile) {
        this.rule = rule;
        this.p = rule.root() == 0 ? 2.0 * tile.extents().size() : rule.root();
        for (int mode = 0; mode < tile.extents().size(); mode++) {
            long d = tile.extents().get(mode);
            String name = path + ".mode" + mode;
            Shape matrix = Shape.of(tile.groups(), d, d);
            sides.add(
                    d <= rule.largest()
                            ? new Side(
                                    owner.factor(name, matrix, rule.averaging()), owner.tensor(name + ".root", matrix))
                            : new Side(owner.factor(name, Shape.of(tile.groups(), d), rule.averaging()), null));
        }
    }

    /** Records that the second moments take in the blocks of a gradient. */
    void observe(Value blocks, Value refresh) {
        for (int mode = 0; mode < sides.size(); mode++) {
            Side side = sides.get(mode);
            side.factor().take(side.root() == null ? Modes.squares(blocks, mode) : Modes.moment(blocks, mode), refresh);
        }
    }

    /** The roots to take. */
    List<Decompositions.Job> jobs() {
        return sides.stream().filter(side -> side.root() != null).map(this::job).toList();
    }

    private Decompositions.Job job(Side side) {
        RunningFactor factor = side.factor();
        return rule.newton()
                .map(newton -> newton.add(factor.name(), factor::read, factor.shape(), p, rule.ridge(), side.root()))
                .orElseGet(() -> Roots.job(factor.name(), factor::read, p, rule.ridge(), side.root()));
    }

    /** G x_1 H_1^(-1/p) ... x_k H_k^(-1/p) for blocks G [groups x d_1 x ... x d_k]. */
    Value apply(Value blocks) {
        Value result = blocks;
        for (int mode = 0; mode < sides.size(); mode++) {
            Side side = sides.get(mode);
            result = side.root() == null
                    ? divided(side, result, mode)
                    : Modes.times(blocks.graph().read(side.root()), false, result, mode);
        }
        return result;
    }

    private Value divided(Side side, Value blocks, int mode) {
        Value diagonal = side.factor().read(blocks.graph());
        Expr ridge = Expr.of(rule.ridge().epsilon());
        if (rule.ridge().relative()) {
            ridge = Expr.arg(2).max(Expr.of(1e-30)).mul(rule.ridge().epsilon());
        }
        Value largest = diagonal.max(1).reshape(diagonal.dim(0), 1);
        return blocks.graph()
                .map(
                        Expr.arg(0).mul(Expr.arg(1).add(ridge).pow(-1 / p)),
                        blocks,
                        Modes.column(diagonal, blocks, mode),
                        Modes.column(largest, blocks, mode));
    }
}
