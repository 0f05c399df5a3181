package io.kingfisher.optimizers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that the host may change between replays without recording anything anew: the learning rate of each group and
 * the number of the step. They live on the device as F64 scalars, since 1 - beta^t loses half its digits in F32.
 */
final class ControlBlock implements AutoCloseable {
    private final Tensor step;
    private final List<Tensor> learningRates = new ArrayList<>();

    ControlBlock(Device device, List<ParameterGroup> groups) {
        step = device.allocate(DType.F64, Shape.SCALAR);
        for (ParameterGroup group : groups) {
            Tensor rate = device.allocate(DType.F64, Shape.SCALAR);
            rate.set(0, group.learningRate());
            learningRates.add(rate);
        }
    }

    /** Sets the number of the step that the next replay makes: 1 for the first. */
    void step(long number) {
        step.set(0, number);
    }

    /** Sets a group's learning rate from the next replay on. */
    void learningRate(int group, double rate) {
        learningRates.get(group).set(0, rate);
    }

    double learningRate(int group) {
        return learningRates.get(group).get(0);
    }

    /** The number of the step as F64. */
    Value step(Graph graph) {
        return graph.read(step);
    }

    /** A group's learning rate as F64. */
    Value learningRate(Graph graph, int group) {
        return graph.read(learningRates.get(group));
    }

    @Override
    public void close() {
        step.close();
        learningRates.forEach(Tensor::close);
    }
}
