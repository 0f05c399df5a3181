package io.kingfisher.optimizers.diagonal;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A random vector v of independent elements with mean 0 and variance 1, and the loss's Hessian times it, both of a
 * parameter's shape. The mean of v (H v) is diag(H) (Hutchinson, 1990; Bekas et al., 2007), and that of (H v)^2 is
 * diag(H^2) (Dauphin et al., 2015).
 */
record HessianProbe(Value vector, Value product) {
    /** Draws one vector for all parameters together and differentiates the recorded gradients once more. */
    static Map<Parameter, HessianProbe> draw(Gradients gradients, Random.Distribution distribution) {
        List<Parameter> parameters = gradients.parameters();
        List<Value> values = new ArrayList<>(), slopes = new ArrayList<>(), vectors = new ArrayList<>();
        for (Parameter parameter : parameters) {
            values.add(gradients.recording().value(parameter));
            slopes.add(gradients.of(parameter));
            vectors.add(gradients.recording().random(distribution, parameter.shape()));
        }
        List<Value> products = Autodiff.vjp(slopes, vectors, values);
        Map<Parameter, HessianProbe> probes = new LinkedHashMap<>();
        for (int i = 0; i < values.size(); i++) {
            probes.put(parameters.get(i), new HessianProbe(vectors.get(i), products.get(i)));
        }
        return probes;
    }
}
