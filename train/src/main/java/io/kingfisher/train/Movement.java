package io.kingfisher.train;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Parameter;
import java.util.List;

/** How far a step moves a model's parameters, all together, relative to their norm. */
final class Movement {
    private final List<Parameter> parameters;
    private List<float[]> before = List.of();
    private double relative = Double.NaN;

    Movement(Layer model) {
        parameters = model.parameters().stream().filter(Parameter::trainable).toList();
    }

    /** To be called before the step. */
    void begin() {
        before = parameters.stream().map(p -> p.tensor().floats()).toList();
    }

    /** To be called when it is done. */
    void end() {
        double moved = 0, norm = 0;
        for (int k = 0; k < before.size(); k++) {
            float[] old = before.get(k), now = parameters.get(k).tensor().floats();
            for (int i = 0; i < old.length; i++) {
                double step = (double) now[i] - old[i];
                moved += step * step;
                norm += (double) old[i] * old[i];
            }
        }
        relative = Math.sqrt(moved / norm);
        before = List.of();
    }

    /** The norm of the step over that of the parameters before it. */
    double relative() {
        return relative;
    }
}
