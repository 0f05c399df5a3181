package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.conformance.Case.Observation;
import io.kingfisher.runtime.conformance.Case.Recipe;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/** A graph on one device with the numbers that its inputs and tensors start with. */
final class Recording implements AutoCloseable {
    final Graph graph = new Graph();
    private final Device device;
    private final int replays;
    private final Map<String, double[][]> inputs = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    Recording(Device device, Recipe recipe, int replays) {
        this.device = device;
        this.replays = replays;
        try {
            recipe.record(this);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** An input with what the host writes before each replay: the last of {@code values} where there are more replays. */
    Value input(String name, DType dtype, Shape shape, double[]... values) {
        inputs.put(name, values);
        return graph.input(name, dtype, shape.toArray());
    }

    Value input(String name, Operand operand) {
        return input(name, operand.dtype(), operand.shape(), operand.values());
    }

    /** A tensor on the device, which is looked at after each replay. */
    Tensor tensor(String name, DType dtype, Shape shape, double... values) {
        Tensor tensor = device.allocate(dtype, shape);
        tensors.put(name, tensor);
        tensor.write(values);
        return tensor;
    }

    /** Compiles the graph, replays it, and looks at all outputs and tensors after each replay. */
    Map<String, Observation> run() {
        Map<String, Observation> seen = new LinkedHashMap<>();
        try (Program program = device.compile(graph)) {
            for (int replay = 0; replay < replays; replay++) {
                int now = replay;
                inputs.forEach((name, values) -> program.input(name).write(values[Math.min(now, values.length - 1)]));
                program.replay();
                String after = replays == 1 ? "" : " after replay " + (replay + 1);
                graph.outputs()
                        .keySet()
                        .forEach(name -> seen.put("output " + name + after, Observation.of(program.output(name))));
                tensors.forEach((name, tensor) -> seen.put("tensor " + name + after, Observation.of(tensor)));
            }
        }
        return seen;
    }

    /** Writes what the inputs have before the first replay. */
    void fill(Program program) {
        inputs.forEach((name, values) -> program.input(name).write(values[0]));
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
    }
}
