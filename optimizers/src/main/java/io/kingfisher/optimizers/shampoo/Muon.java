package io.kingfisher.optimizers.shampoo;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Polar;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Muon (Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024): the momentum of a hidden layer's matrix with
 * all its singular values made alike.
 *
 * <pre>
 * b = mu b + (1 - mu) G; g = (1 - mu) G + mu b (Nesterov) or b; O = polar factor of g by Newton-Schulz
 * p = p (1 - lr wd) - lr scale O
 * </pre>
 *
 * <p>Hidden matrices are the weights of linear layers and convolutions, as [outputs x the rest], but for the one that is recorded
 * last, which makes the prediction. All else (that one, tables, norms, biases) is updated by AdamW; {@link #notes} lists it.
 * Everything is computed in F32.
 */
public final class Muon extends Optimizer {
    /** What a matrix [rows x columns] is scaled by. */
    public enum Scale {
        /** sqrt(max(1, rows / columns)), the author's. */
        SPECTRAL,
        /** 0.2 sqrt(max(rows, columns)), for which steps are as long as AdamW's (Liu et al., Muon is Scalable, 2025). */
        LIKE_ADAM;

        private double of(double rows, double columns) {
            return switch (this) {
                case SPECTRAL -> Math.sqrt(Math.max(1, rows / columns));
                case LIKE_ADAM -> 0.2 * Math.sqrt(Math.max(rows, columns));
            };
        }
    }

    /**
     * @param momentum mu, from 0 to below 1
     * @param nesterov whether the step looks ahead
     * @param polar how matrices are made orthogonal
     * @param scale of the step
     * @param adam the rule of the other parameters
     * @param adamRate their learning rate as a multiple of the group's, above 0
     */
    public record Config(
            double momentum, boolean nesterov, Polar polar, Scale scale, Adam.Config adam, double adamRate) {
        public Config {
            if (!(momentum >= 0 && momentum < 1) || !(adamRate > 0) || Double.isInfinite(adamRate)) {
                throw new KingfisherException(
                        "Muon needs a momentum from 0 to below 1 and a finite rate for AdamW above" + " 0, not "
                                + momentum + " and " + adamRate + ".");
            }
        }

        /** The author's: 0.02 goes with 3e-4 for AdamW. */
        public static Config usual() {
            return new Config(
                    0.95, true, Polar.fast(5), Scale.SPECTRAL, new Adam.Config(0.9, 0.95, 1e-10, true), 0.015);
        }
    }

    private final Config config;
    private final Expr adamStep;
    private final Expr adamCorrection;
    private final Set<Parameter> hidden = new LinkedHashSet<>();
    private final Map<Parameter, Value> directions = new HashMap<>();
    private final List<String> notes = new ArrayList<>();

    public Muon(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        this.adamStep = RATE.mul(config.adamRate()).div(correction(config.adam().beta1()));
        this.adamCorrection = Expr.of(1).div(correction(config.adam().beta2()).sqrt());
    }

    @Override
    protected void prepare(Gradients gradients, Cadence cadence) {
        hidden.clear();
        notes.clear();
        Set<Parameter> tables = new LinkedHashSet<>();
        Parameter last = null;
        for (Capture capture : gradients.captures()) {
            switch (capture) {
                case Capture.Linear _, Capture.Conv2d _ -> {
                    last = capture.weight();
                    hidden.add(last);
                }
                case Capture.Embedding _ -> tables.add(capture.weight());
                case Capture.BatchNorm2d _, Capture.LayerNorm _ -> {}
            }
        }
        hidden.remove(last);
        hidden.removeAll(tables);
        hidden.removeIf(weight -> !weight.trainable());
        for (ParameterGroup group : groups()) {
            for (Parameter parameter : group.parameters()) {
                if (parameter.trainable() && !hidden.contains(parameter)) {
                    notes.add(parameter.path() + ": no hidden matrix; updated by AdamW");
                }
            }
        }
    }

    @Override
    protected void direct(Directions all) {
        directions.clear();
        Graph graph = all.graph();
        for (Parameter weight : hidden) {
            try (Graph.Scope _ = graph.scope("curvature." + weight.path())) {
                Value gradient = all.gradient(weight);
                Tensor tensor = state().tensor(weight.path() + ".momentum_buffer", DType.F32, weight.shape(), 0);
                double mu = config.momentum();
                Expr average = Expr.arg(0).mul(mu).add(Expr.arg(1).mul(1 - mu));
                Value buffer = graph.map(average, graph.read(tensor), gradient);
                graph.assign(tensor, buffer);
                Value input = config.nesterov() ? graph.map(average, buffer, gradient) : buffer;
                Shape shape = weight.shape();
                long rows = shape.dim(0), columns = shape.elements() / rows;
                Value orthogonal = config.polar().of(input.reshape(rows, columns));
                directions.put(
                        weight, orthogonal.reshape(shape).mul(config.scale().of(rows, columns)));
            }
        }
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter();
        Value direction = directions.get(u.target());
        double decay = group.weightDecay();
        if (direction != null) {
            Expr kept = decay == 0 ? p : p.mul(Expr.of(1).sub(u.scalar(RATE).mul(decay)));
            u.setParameter(kept.sub(u.scalar(RATE).mul(u.operand(direction))));
            return;
        }
        Adam.Config adam = config.adam();
        Update.Slot mean = u.state("exp_avg"), square = u.state("exp_avg_sq");
        Expr g = u.gradient();
        Expr m = mean.value().mul(adam.beta1()).add(g.mul(1 - adam.beta1()));
        Expr v = square.value().mul(adam.beta2()).add(g.square().mul(1 - adam.beta2()));
        u.set(mean, m);
        u.set(square, v);
        Expr kept = decay == 0
                ? p
                : p.mul(Expr.of(1).sub(u.scalar(RATE.mul(config.adamRate())).mul(decay)));
        Expr scale = v.sqrt().mul(u.scalar(adamCorrection)).add(adam.epsilon());
        u.setParameter(kept.sub(u.scalar(adamStep).mul(m).div(scale)));
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }
}
