package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The rows of a norm layer: a sample's gradient is the sum over its places of g times the normalised input, and of g. The
 * samples of a batch norm see each other; a sample's gradient is then what passes through its own activations.
 */
record NormRows(Optional<Parameter> weight, Optional<Parameter> bias, List<Application> applications)
        implements SampleRows {
    /** The axis of the channels, counted from that of the samples. */
    private static int channels(Application use) {
        return use.capture() instanceof Capture.BatchNorm2d ? 1 : use.a().rank() - 1;
    }

    /** The sum over places of values [D x N x ...], [D x N x C]. */
    private static Value overPlaces(Application use, Value v) {
        int[] axes = IntStream.range(2, v.rank())
                .filter(axis -> axis != channels(use) + 1)
                .toArray();
        return axes.length == 0 ? v : v.sum(axes);
    }

    /** [D x N x columns]. */
    private Value rows() {
        List<Value> columns = new ArrayList<>();
        if (weight.isPresent()) {
            columns.add(SampleRows.sum(applications.stream()
                    .map(use -> overPlaces(use, use.g().mul(use.a())))
                    .toList()));
        }
        if (bias.isPresent()) {
            columns.add(SampleRows.sum(
                    applications.stream().map(use -> overPlaces(use, use.g())).toList()));
        }
        return columns.get(0).graph().concat(2, columns);
    }

    @Override
    public Value gram() {
        Value rows = rows();
        return SampleRows.products(rows.reshape(rows.dim(0) * rows.dim(1), rows.dim(2)));
    }

    @Override
    public Value squaredNorms() {
        Value rows = rows();
        return rows.cast(DType.F64).square().sum(2).reshape(rows.dim(0) * rows.dim(1));
    }

    @Override
    public Value times(Function<Parameter, Value> v) {
        List<Value> parts = new ArrayList<>();
        weight.ifPresent(parameter -> parts.add(v.apply(parameter)));
        bias.ifPresent(parameter -> parts.add(v.apply(parameter)));
        Value rows = rows();
        return rows.matmul(rows.graph().concat(0, parts).reshape(rows.dim(2), 1))
                .reshape(rows.dim(0), rows.dim(1));
    }

    @Override
    public Map<Parameter, Value> transposed(Value y) {
        Value rows = rows();
        Value sums = y.reshape(1, y.shape().elements())
                .matmul(rows.reshape(y.shape().elements(), rows.dim(2)))
                .reshape(rows.dim(2));
        Map<Parameter, Value> result = new LinkedHashMap<>();
        long at = 0;
        for (Parameter parameter :
                java.util.stream.Stream.concat(weight.stream(), bias.stream()).toList()) {
            long size = parameter.shape().elements();
            result.put(parameter, sums.slice(0, at, at + size).reshape(Shape.of(size)));
            at += size;
        }
        return result;
    }
}
