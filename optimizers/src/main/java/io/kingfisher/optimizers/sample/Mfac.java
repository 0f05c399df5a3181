package io.kingfisher.optimizers.sample;

import static io.kingfisher.optimizers.Hyperparameters.RATE;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * M-FAC (Frantar, Kurtic and Alistarh, Efficient matrix-free approximations of second-order information, NeurIPS 2021): the
 * matrix F = damping I + (1 / m) sum v v^T of the last m gradients v of batches, none of which counts before it was seen. With
 * them as rows of V, the newest being row i, the direction is F^-1 v_i = V^T (damping I + V V^T / m)^-1 e_i; only the row of V
 * V^T that changes is made anew. It is the recursion of the paper in closed form, without subtracting.
 */
public final class Mfac extends Optimizer {
    /**
     * @param gradients m, how many are kept, each of the size of the model
     * @param damping above 0
     * @param momentum of the direction
     */
    public record Config(int gradients, double damping, double momentum) {
        public Config {
            if (gradients < 1
                    || gradients > GramSystem.MOST_ROWS
                    || !(damping > 0)
                    || !(momentum >= 0 && momentum < 1)) {
                throw new KingfisherException("M-FAC keeps 1 to " + GramSystem.MOST_ROWS
                        + " gradients and needs a damping above 0 and a momentum from 0 to below 1, not " + gradients
                        + ", "
                        + damping + " and " + momentum + ".");
            }
        }

        /** As published. */
        public static Config usual() {
            return new Config(1024, 1e-5, 0.9);
        }
    }

    private final Config config;
    private final Map<Parameter, Value> directions = new LinkedHashMap<>();
    private Value solved;
    private final Unsolved unsolved = new Unsolved("their gradient was not finite or its system had no solution");

    public Mfac(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
    }

    @Override
    protected void direct(Directions all) {
        Graph graph = all.graph();
        int m = config.gradients();
        Tensor seen = state().tensor("mfac.seen", DType.F32, Shape.SCALAR, 0);
        Value turn = graph.read(seen);
        Value index = graph.iota(DType.I32, m);
        Value own = graph.map(Expr.arg(0).equalTo(Expr.arg(1)), index, turn);
        Map<Parameter, Value> windows = new LinkedHashMap<>();
        List<Value> products = new ArrayList<>(), finite = new ArrayList<>();
        for (Parameter p : all.parameters()) {
            long n = p.shape().elements();
            double decay = all.group(p).weightDecay();
            Value g = all.gradient(p);
            Value row = (decay == 0 ? g : g.add(graph.read(p.tensor()).mul(decay))).reshape(1, n);
            finite.add(row.mul(0).sum());
            Tensor kept = state().tensor("mfac." + p.path(), DType.F32, Shape.of(m, n), 0);
            Value next = graph.map(
                    Expr.select(Expr.arg(2), Expr.arg(1), Expr.arg(0)), graph.read(kept), row, own.reshape(m, 1));
            windows.put(p, next);
            products.add(next.cast(DType.F64).matmul(row.cast(DType.F64), false, true));
        }
        Value good = graph.sum(finite).map(Expr.arg(0).equalTo(Expr.of(0)));
        Value fresh = graph.sum(products);
        Tensor gram = state().tensor("mfac.gram", DType.F64, Shape.of(m, m), 0);
        Expr row = Expr.arg(1), column = Expr.arg(2);
        Value products2 = graph.map(
                Expr.select(row, Expr.arg(4), Expr.select(column, Expr.arg(3), Expr.arg(0))),
                DType.F64,
                List.of(graph.read(gram), own.reshape(m, 1), own, fresh, fresh.reshape(1, m)));
        GramSystem.Solution solution = GramSystem.solve(products2.mul(1.0 / m), config.damping(), own.cast(DType.F64));
        solved = solution.solved().mul(good);
        Value y = solution.y().cast(DType.F32).reshape(1, m);
        directions.clear();
        windows.forEach((p, window) -> directions.put(p, y.matmul(window).reshape(p.shape())));
        // A gradient that is not finite is not kept.
        windows.forEach((p, window) -> keep(state().tensors().get("mfac." + p.path()), window));
        keep(gram, products2);
        keep(
                seen,
                turn.map(Expr.select(
                        Expr.arg(0).lessThan(Expr.of(m - 1.0)), Expr.arg(0).add(1), Expr.of(0))));
        unsolved.take(state(), solved);
    }

    private void keep(Tensor tensor, Value next) {
        Graph graph = next.graph();
        Expr chosen = Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2));
        graph.assign(tensor, graph.map(chosen, next.dtype(), List.of(solved, next, graph.before(tensor))));
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr counts = u.operand(solved), direction = u.operand(directions.get(u.target()));
        if (config.momentum() != 0) {
            Update.Slot buffer = u.state("momentum_buffer");
            direction = buffer.value().mul(config.momentum()).add(direction);
            u.set(buffer, Expr.select(counts, direction, buffer.value()));
        }
        u.setParameter(Expr.select(counts, u.parameter().sub(u.scalar(RATE).mul(direction)), u.parameter()));
    }

    @Override
    public List<String> reports() {
        return unsolved.reports();
    }
}
