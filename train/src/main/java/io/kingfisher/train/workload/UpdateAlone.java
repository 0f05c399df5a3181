package io.kingfisher.train.workload;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Variable;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * An optimizer's update where gradients are given: what the update costs beside a copy. The loss is the sum of the products
 * of all parameters with their gradients.
 */
public final class UpdateAlone implements AutoCloseable {
    private final Layer layer;
    private final List<Tensor> gradients = new ArrayList<>();
    private final Tensor randomState;
    private final Optimizer optimizer;
    private final Program program;
    private final double bytes;

    /**
     * The update of one matrix. No layer is applied, so that AdaFisher has its constant F.
     *
     * @param size the matrix's rows and columns
     */
    public UpdateAlone(Device device, Method method, int size) {
        this(device, method, new Linear(size, size, false), null);
    }

    /** The update of all parameters of a model, with what AdaFisher knows of its layers; nothing is trained. */
    public UpdateAlone(Device device, Method method, Workload workload) {
        this(device, method, workload.model(), workload);
    }

    private UpdateAlone(Device device, Method method, Layer layer, Workload applied) {
        this.layer = layer;
        layer.initialize(device, 1);
        optimizer = method.make(device, layer, 0);
        Graph graph = new Graph();
        randomState = device.allocate(DType.I32, Shape.of(4));
        Recording r = Recording.train(graph, randomState);
        if (applied != null) {
            // Leaves the captures, which say what curvature there is; nothing needs the result.
            layer.apply(r, graph.input("x", applied.input()));
            for (Variable variable : layer.variables()) {
                graph.assign(variable.tensor(), graph.before(variable.tensor()));
            }
        }
        List<Value> products = new ArrayList<>();
        for (Parameter parameter : layer.parameters()) {
            Tensor gradient = device.allocate(DType.F32, parameter.shape());
            gradient.fill(1e-3);
            gradients.add(gradient);
            products.add(r.value(parameter).mul(graph.read(gradient)).sum());
        }
        optimizer.record(r.gradients(graph.sum(products)), Optimizer.Cadence.STEP);
        program = device.compile(graph);
        double moved = gradients.stream().mapToDouble(Tensor::bytes).sum();
        for (var assigned : graph.assignments().entrySet()) {
            moved += graph.before(assigned.getKey()) == assigned.getValue()
                    ? 0
                    : 2.0 * assigned.getKey().bytes();
        }
        bytes = moved;
    }

    /** The numbers that a step changes. */
    public long parameters() {
        return layer.parameterCount();
    }

    public Program program() {
        return program;
    }

    /** Goes on to the next step, before its replay. */
    public void advance() {
        optimizer.advance();
    }

    /** The bytes that a step cannot help to move: gradients once, parameters and states twice. */
    public double bytes() {
        return bytes;
    }

    @Override
    public void close() {
        program.close();
        optimizer.close();
        gradients.forEach(Tensor::close);
        randomState.close();
        layer.close();
    }
}
