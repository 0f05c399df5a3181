package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The gradients of a step between its statistics and its update, which is a program of its own. They belong to one step and
 * are no state.
 */
final class HeldGradients implements AutoCloseable {
    /** Records the updates. */
    interface Apply {
        void record(Graph graph, Function<Parameter, Value> gradients, Optional<Gradients.Applied> applied);
    }

    private final Device device;
    private final Map<Parameter, Tensor> gradients = new LinkedHashMap<>();
    private Optional<Tensor> finite = Optional.empty();
    private Optional<Tensor> skipped = Optional.empty();
    private Program update;

    HeldGradients(Device device) {
        this.device = device;
    }

    /** Lets the replay end with the gradients kept. */
    void hold(Gradients from, List<Parameter> parameters) {
        Graph graph = from.loss().graph();
        for (Parameter parameter : parameters) {
            Tensor tensor = gradients.computeIfAbsent(parameter, p -> device.allocate(DType.F32, p.shape()));
            graph.assign(tensor, from.of(parameter));
        }
        from.applied().ifPresent(applied -> {
            finite = Optional.of(finite.orElseGet(() -> device.allocate(DType.F32, Shape.SCALAR)));
            skipped = Optional.of(skipped.orElseGet(() -> device.allocate(DType.F64, Shape.SCALAR)));
            graph.assign(finite.get(), applied.finite());
            graph.assign(skipped.get(), applied.skipped());
        });
    }

    /** Makes the update from what was kept. */
    void replay(Apply apply) {
        if (update == null) {
            Graph graph = new Graph();
            Optional<Gradients.Applied> applied =
                    finite.map(flag -> new Gradients.Applied(graph.read(flag), graph.read(skipped.orElseThrow())));
            apply.record(graph, parameter -> graph.read(gradients.get(parameter)), applied);
            update = device.compile(graph);
        }
        update.replay();
    }

    @Override
    public void close() {
        if (update != null) {
            update.close();
        }
        gradients.values().forEach(Tensor::close);
        finite.ifPresent(Tensor::close);
        skipped.ifPresent(Tensor::close);
    }
}
