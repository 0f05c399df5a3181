package io.kingfisher.train.workload;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;

/**
 * An optimizer's update of one large matrix whose gradient is given: what the update costs beside a copy. The loss is the
 * product of the matrix with the gradient, summed, so that no layer is applied; AdaFisher has its constant F.
 */
public final class UpdateAlone implements AutoCloseable {
    private final Linear layer;
    private final Tensor gradient;
    private final Optimizer optimizer;
    private final Program program;
    private final double bytes;

    /**
     * @param size the matrix's rows and columns
     */
    public UpdateAlone(Device device, Method method, int size) {
        layer = new Linear(size, size, false);
        layer.initialize(device, 1);
        gradient = device.allocate(DType.F32, layer.weight().shape());
        gradient.fill(1e-3);
        optimizer = method.make(device, layer, 0);
        Graph graph = new Graph();
        Recording r = Recording.train(graph);
        Gradients gradients =
                r.gradients(r.value(layer.weight()).mul(graph.read(gradient)).sum());
        optimizer.record(gradients, Optimizer.Cadence.STEP);
        program = device.compile(graph);
        double moved = gradient.bytes();
        for (Tensor tensor : graph.assignments().keySet()) {
            moved += 2.0 * tensor.bytes();
        }
        bytes = moved;
    }

    public Program program() {
        return program;
    }

    /** Goes on to the next step, before its replay. */
    public void advance() {
        optimizer.advance();
    }

    /** The bytes that a step cannot help to move: the gradient once, the matrix and the states twice. */
    public double bytes() {
        return bytes;
    }

    @Override
    public void close() {
        program.close();
        optimizer.close();
        gradient.close();
        layer.close();
    }
}
