package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;
import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.quotient;
import static io.kingfisher.optimizers.matrixfree.Vectors.times;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * L-BFGS (Liu and Nocedal, 1989; Nocedal and Wright, 2006, algorithm 7.4): the direction is -H g with H the inverse Hessian of
 * BFGS from the last m pairs of steps s and changes of the gradient y, starting from s^T y / y^T y times the identity, and its
 * length that of a {@link StrongWolfe} search; p = p + lr times the step.
 *
 * <p>The line search looks at the step's own batch, and both gradients of a pair are of that batch too (as in Schraudolph et
 * al., 2007): with the whole data set as the batch this is the method of the paper, with smaller ones no pair mixes the noise of
 * two batches. Pairs without clearly positive curvature, s^T y <= 1e-10 |s| |y|, are left out.
 */
public final class Lbfgs extends MatrixFreeOptimizer {
    /**
     * @param memory m, the pairs kept, at least 1
     * @param search of the step's length; each evaluation costs a gradient
     */
    public record Config(int memory, StrongWolfe search) {
        public Config {
            if (memory < 1) {
                throw new KingfisherException("L-BFGS keeps at least 1 pair, not " + memory + ".");
            }
        }

        /** Ten pairs, c1 1e-4, c2 0.9 and at most 25 evaluations; the learning rate is 1. */
        public static Config usual() {
            return new Config(10, new StrongWolfe(1e-4, 0.9, 25));
        }
    }

    private final Config config;
    private Tensor steps, changes, gradientThere;
    /** Where {@code gradientThere} is the gradient. */
    private double tried;

    public Lbfgs(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
    }

    @Override
    void allocate(long size) {
        // Rows from the oldest pair to the newest; a pair of zeros changes no direction.
        steps = state().tensor("steps", DType.F32, Shape.of(config.memory(), size), 0);
        changes = state().tensor("changes", DType.F32, Shape.of(config.memory(), size), 0);
        gradientThere = vector();
    }

    @Override
    void find() {
        Program direction = programs().run("direction", this::direction);
        double slope = item(direction, "slope");
        // Without pairs the gradient's own length says nothing about a step's (Nocedal and Wright, section 6.1).
        double first = item(direction, "pairs") > 0 ? 1 : Math.min(1, 1 / item(direction, "size"));
        if (slope == 0) {
            shorten(0);
            return;
        }
        Optional<StrongWolfe.Point> found =
                config.search().search(this::at, new StrongWolfe.Point(0, loss(), slope), first);
        if (found.isEmpty()) {
            report("the line search found no lower loss");
            shorten(0);
            return;
        }
        double alpha = found.get().alpha();
        if (alpha != tried) {
            at(alpha);
        }
        shorten(alpha);
        programs().run("remember", this::remember);
    }

    private StrongWolfe.Point at(double alpha) {
        tried = alpha;
        scale(alpha);
        Program program = programs().run("line", graph -> {
            BatchLoss.At there = moved(graph);
            Value g = there.gradient();
            graph.assign(gradientThere, g);
            graph.output("loss", there.loss());
            graph.output("slope", dot(g, graph.read(direction())));
        });
        return new StrongWolfe.Point(alpha, item(program, "loss"), item(program, "slope"));
    }

    private static Value row(Value matrix, int i) {
        return matrix.slice(0, i, i + 1).reshape(matrix.dim(1));
    }

    /** The two loops over the pairs. */
    private void direction(Graph graph) {
        Value s = graph.read(steps), y = graph.read(changes), g = graph.read(gradient()), q = g;
        int m = config.memory();
        Value one = graph.fill(1, DType.F64, Shape.SCALAR), newest = dot(row(s, m - 1), row(y, m - 1));
        List<Value> rhos = new ArrayList<>(), alphas = new ArrayList<>();
        for (int i = m - 1; i >= 0; i--) {
            Value rho = quotient(one, dot(row(s, i), row(y, i))), alpha = rho.mul(dot(row(s, i), q));
            q = plus(q, alpha.neg(), row(y, i));
            rhos.addFirst(rho);
            alphas.addFirst(alpha);
        }
        Value gamma = quotient(newest, dot(row(y, m - 1), row(y, m - 1)));
        Value r = times(graph.map(Expr.select(Expr.arg(0), Expr.arg(0), Expr.of(1)), gamma), q);
        for (int i = 0; i < m; i++) {
            Value beta = rhos.get(i).mul(dot(row(y, i), r));
            r = plus(r, alphas.get(i).sub(beta), row(s, i));
        }
        graph.assign(direction(), r.neg());
        graph.output("slope", dot(r, g).neg());
        graph.output("pairs", newest);
        graph.output("size", g.abs().sum());
    }

    /** Takes in the pair of the step where its curvature is positive. */
    private void remember(Graph graph) {
        Value s = graph.read(direction()), y = graph.read(gradientThere).sub(graph.read(gradient()));
        Expr bound = Expr.arg(1).mul(Expr.arg(2)).sqrt().mul(1e-10);
        Value good = graph.map(bound.lessThan(Expr.arg(0)), dot(s, y), dot(s, s), dot(y, y))
                .cast(DType.F32);
        shift(graph, steps, s, good);
        shift(graph, changes, y, good);
    }

    private static void shift(Graph graph, Tensor rows, Value row, Value good) {
        Value before = graph.read(rows), newest = row.reshape(1, row.dim(0));
        Value after = before.dim(0) == 1 ? newest : graph.concat(0, List.of(before.slice(0, 1, before.dim(0)), newest));
        graph.assign(rows, good.select(after, before));
    }
}
