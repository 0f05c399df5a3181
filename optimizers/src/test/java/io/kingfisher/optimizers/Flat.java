package io.kingfisher.optimizers;

import io.kingfisher.layers.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.DoubleStream;

/** Values of all parameters in one vector, in the order of the parameters. */
final class Flat {
    private Flat() {}

    static double[] of(List<Parameter> parameters, Function<Parameter, double[]> values) {
        return parameters.stream()
                .flatMapToDouble(p -> DoubleStream.of(values.apply(p)))
                .toArray();
    }

    static double[] of(List<Parameter> parameters) {
        return of(parameters, p -> p.tensor().doubles());
    }

    /** The vector's parts by parameter. */
    static Map<Parameter, double[]> parts(List<Parameter> parameters, double[] vector) {
        Map<Parameter, double[]> parts = new LinkedHashMap<>();
        int at = 0;
        for (Parameter p : parameters) {
            int n = Math.toIntExact(p.shape().elements());
            parts.put(p, java.util.Arrays.copyOfRange(vector, at, at + n));
            at += n;
        }
        return parts;
    }
}
