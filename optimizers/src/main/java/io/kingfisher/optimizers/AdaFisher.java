package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.optimizers.Hyperparameters.correction;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.adafisher.LayerCurvature;
import io.kingfisher.optimizers.adafisher.ParameterCurvature;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * AdaFisher and AdaFisherW (Martins Gomes et al., ICLR 2025): Adam's momentum, preconditioned without a square root by the
 * diagonal of the Fisher matrix as the Kronecker product of two diagonals, H of the layer's inputs and S of its outputs'
 * gradients. The product is formed inside the update, so that a step moves less memory than Adam's.
 *
 * <pre>
 * m = beta m + (1 - beta) g        g with weight decay added, or for AdaFisherW without
 * p = p - lr m / (1 - beta^t) / F  F[j, i] = S[j] H[i] + lambda; AdaFisherW also subtracts lr wd p
 * </pre>
 *
 * <p>How H and S come about, and what F is made of them, is the {@link AdaFisherConfig.Mode}. Parameters of layers without a
 * rule (an embedding in mode {@code released}, a parameter of the user's own layer) have a constant F: {@link #notes} lists
 * them.
 */
public final class AdaFisher extends Optimizer {
    private final AdaFisherConfig config;
    private final Expr stepSize;
    private final Map<Parameter, LayerCurvature> layers = new LinkedHashMap<>();
    private final Map<Parameter, ParameterCurvature> curvatures = new HashMap<>();
    private final List<String> notes = new ArrayList<>();

    public AdaFisher(Device device, List<ParameterGroup> groups, AdaFisherConfig config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        this.stepSize = RATE.div(correction(config.beta()));
    }

    public AdaFisherConfig config() {
        return config;
    }

    @Override
    protected long refreshInterval() {
        return config.refreshInterval();
    }

    @Override
    protected void prepare(Gradients gradients, Cadence cadence) {
        notes.clear();
        curvatures.clear();
        Map<Parameter, List<Capture>> byWeight = new LinkedHashMap<>();
        for (Capture capture : gradients.captures()) {
            byWeight.computeIfAbsent(capture.weight(), _ -> new ArrayList<>()).add(capture);
        }
        byWeight.forEach((weight, captures) -> {
            List<Capture> ruled = LayerCurvature.supported(captures, config);
            if (ruled.isEmpty()) {
                return;
            }
            LayerCurvature layer =
                    layers.computeIfAbsent(weight, _ -> LayerCurvature.of(ruled, config, this::factorState));
            Graph graph = gradients.loss().graph();
            if (cadence == Cadence.REFRESH) {
                try (Graph.Scope _ = graph.curvature(weight.path())) {
                    layer.refresh(gradients, ruled);
                }
            }
            layer.parameters().forEach(curvature -> curvatures.put(curvature.parameter(), curvature));
        });
        for (Parameter parameter : gradients.parameters()) {
            if (!curvatures.containsKey(parameter)) {
                notes.add(parameter.path() + ": its layer has no curvature rule in mode "
                        + config.mode().key() + "; updated with the constant F = " + config.unmatchedF());
            }
        }
    }

    private Tensor factorState(String name, Shape shape, double initial) {
        return state().tensor(name, DType.F32, shape, initial);
    }

    @Override
    protected Shape view(Parameter parameter) {
        ParameterCurvature curvature = curvatures.get(parameter);
        return curvature == null ? parameter.shape() : curvature.view();
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr p = u.parameter(), g = u.gradient();
        if (group.weightDecay() != 0 && !config.decoupled()) {
            g = g.add(p.mul(group.weightDecay()));
        }
        Update.Slot slot = u.state("exp_avg");
        Expr m = slot.value().mul(config.beta()).add(g.mul(1 - config.beta()));
        u.set(slot, m);
        Expr step = u.scalar(stepSize).mul(preconditioned(u, m));
        if (group.weightDecay() != 0 && config.decoupled()) {
            step = step.add(u.scalar(RATE).mul(group.weightDecay()).mul(p));
        }
        u.setParameter(p.sub(step));
    }

    private Expr preconditioned(Update u, Expr m) {
        ParameterCurvature curvature = curvatures.get(u.target());
        if (curvature == null) {
            return m.div(config.unmatchedF());
        }
        Expr diagonal = null;
        for (Value factor : curvature.factors(u.graph())) {
            Expr operand = u.operand(factor);
            diagonal = diagonal == null ? operand : diagonal.mul(operand);
        }
        if (config.mode() != AdaFisherConfig.Mode.RELATIVE) {
            return m.div(diagonal.add(config.lambda()));
        }
        // The layer's curvature and damping come divided by the norm that makes the mean of 1 / F one.
        Expr damped = diagonal.mul(u.operand(curvature.scale(u.graph()))).add(u.operand(curvature.damping(u.graph())));
        return m.mul(Expr.of(1).div(LayerCurvature.root(damped, config.power())).min(Expr.of(config.cap())));
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }
}
