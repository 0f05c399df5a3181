package io.kingfisher.optimizers;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;

/** All gradients of a step, clipped, and its scalars: what a rule makes directions of that concern many parameters at once. */
public final class Directions {
    private final Graph graph;
    private final Map<Parameter, Value> gradients;
    private final List<ParameterGroup> groups;
    private final Hyperparameters hyper;

    Directions(Graph graph, Map<Parameter, Value> gradients, List<ParameterGroup> groups, Hyperparameters hyper) {
        this.graph = graph;
        this.gradients = gradients;
        this.groups = groups;
        this.hyper = hyper;
    }

    public Graph graph() {
        return graph;
    }

    /** The parameters that are updated. */
    public List<Parameter> parameters() {
        return List.copyOf(gradients.keySet());
    }

    /** The gradient of a parameter, of its shape. */
    public Value gradient(Parameter parameter) {
        return gradients.get(parameter);
    }

    /** The group of a parameter. */
    public ParameterGroup group(Parameter parameter) {
        return groups.get(index(parameter));
    }

    /** An expression of {@link Hyperparameters#RATE} and {@link Hyperparameters#STEP} for a parameter's group, an F32 scalar. */
    public Value scalar(Parameter parameter, Expr expr) {
        return hyper.value(index(parameter), expr);
    }

    private int index(Parameter parameter) {
        for (int k = 0; k < groups.size(); k++) {
            if (groups.get(k).parameters().contains(parameter)) {
                return k;
            }
        }
        throw new KingfisherException("The parameter " + parameter.path() + " is in no group of the optimizer.");
    }
}
