package io.kingfisher.optimizers.diagonal;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.optimizers.curvature.Averaging;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What methods have in common that keep a running average of one estimate of the curvature for each parameter, taken every
 * so many steps. An estimate that is not finite is left out and reported.
 */
abstract class DiagonalCurvature extends Optimizer {
    private final long interval;
    private final Averaging rule;
    private final Map<Parameter, RunningFactor> averages = new LinkedHashMap<>();

    /**
     * @param interval the steps from one estimate to the next
     */
    DiagonalCurvature(Device device, List<ParameterGroup> groups, Clipping clipping, long interval, Averaging rule) {
        super(device, groups, clipping);
        if (interval < 1) {
            throw new KingfisherException(
                    "Curvature is estimated every so many steps, at least 1, not " + interval + ".");
        }
        this.interval = interval;
        this.rule = rule;
    }

    /** Records an estimate for each parameter that has a gradient, of a shape that stretches to the parameter's. */
    abstract Map<Parameter, Value> estimates(Gradients gradients);

    /** The shape of a parameter's estimate. */
    Shape shape(Parameter parameter) {
        return parameter.shape();
    }

    @Override
    protected final long refreshInterval() {
        // Where every step takes an estimate there is one kind of step.
        return interval == 1 ? 0 : interval;
    }

    @Override
    protected final void prepare(Gradients gradients, Cadence cadence) {
        for (Parameter parameter : gradients.parameters()) {
            averages.computeIfAbsent(
                    parameter, p -> new RunningFactor(state(), p.path() + ".curvature", shape(p), rule));
        }
        Tensor refreshes = state().tensor("refreshes", DType.F32, Shape.SCALAR, 0);
        if (cadence == Cadence.STEP && interval != 1) {
            return;
        }
        Graph graph = gradients.loss().graph();
        Value refresh = graph.read(refreshes).add(1);
        graph.assign(refreshes, refresh);
        estimates(gradients).forEach((parameter, estimate) -> {
            try (Graph.Scope _ = graph.curvature(parameter.path())) {
                averages.get(parameter).take(estimate, refresh);
            }
        });
    }

    /** The average for the parameter that is updated, this step's estimate included. */
    final Expr curvature(Update u) {
        return u.operand(averages.get(u.target()).read(u.graph()));
    }

    @Override
    public List<String> reports() {
        List<String> all = new ArrayList<>();
        averages.values().forEach(average -> average.report().ifPresent(all::add));
        return all;
    }
}
