package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The trainable parameters of all groups as one vector [P], group by group, each in row-major order. */
final class Layout {
    private final Map<Parameter, Long> offsets = new LinkedHashMap<>();
    private final Map<Parameter, Double> decays = new LinkedHashMap<>();
    private final long size;

    Layout(List<ParameterGroup> groups) {
        long end = 0;
        for (ParameterGroup group : groups) {
            for (Parameter parameter : group.parameters()) {
                if (parameter.trainable()) {
                    offsets.put(parameter, end);
                    decays.put(parameter, group.weightDecay());
                    end += parameter.shape().elements();
                }
            }
        }
        size = end;
    }

    long size() {
        return size;
    }

    List<Parameter> parameters() {
        return List.copyOf(offsets.keySet());
    }

    double decay(Parameter parameter) {
        return decays.get(parameter);
    }

    /** One vector of what there is for each parameter. */
    Value join(Graph graph, Function<Parameter, Value> parts) {
        List<Value> all = new ArrayList<>();
        for (Parameter parameter : offsets.keySet()) {
            all.add(parts.apply(parameter).reshape(parameter.shape().elements()));
        }
        return graph.concat(0, all);
    }

    /** A parameter's part of a vector, of the parameter's shape. */
    Value part(Value vector, Parameter parameter) {
        long from = offsets.get(parameter);
        return vector.slice(0, from, from + parameter.shape().elements()).reshape(parameter.shape());
    }
}
