package io.kingfisher.optimizers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that the host may change between replays without recording anything anew: the learning rate of each group and
 * the number of the step. They live on the device as F64 scalars, since 1 - beta^t loses half its digits in F32. The host
 * knows what it has written, so that looking at a learning rate does not wait for the device.
 */
final class ControlBlock implements AutoCloseable {
    private final Tensor step;
    private final List<Tensor> learningRates = new ArrayList<>();
    private final double[] written;
    private final MemorySegment number = Arena.ofAuto().allocate(ValueLayout.JAVA_DOUBLE);

    ControlBlock(Device device, List<ParameterGroup> groups) {
        step = device.allocate(DType.F64, Shape.SCALAR);
        written = new double[groups.size()];
        for (int i = 0; i < written.length; i++) {
            learningRates.add(device.allocate(DType.F64, Shape.SCALAR));
            learningRate(i, groups.get(i).learningRate());
        }
    }

    /** Sets the number of the step that the next replay makes: 1 for the first. */
    void step(long count) {
        write(step, count);
    }

    /** Allocates nothing: this is part of every step. */
    private void write(Tensor scalar, double value) {
        number.set(ValueLayout.JAVA_DOUBLE, 0, value);
        scalar.write(number);
    }

    /** Sets a group's learning rate from the next replay on. */
    void learningRate(int group, double rate) {
        if (Double.doubleToRawLongBits(rate) != Double.doubleToRawLongBits(written[group])) {
            write(learningRates.get(group), rate);
            written[group] = rate;
        }
    }

    double learningRate(int group) {
        return written[group];
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
