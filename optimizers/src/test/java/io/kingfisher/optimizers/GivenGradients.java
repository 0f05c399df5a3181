package io.kingfisher.optimizers;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A weight [rows x columns], zero at first, whose gradients are said; another layer comes after it. */
final class GivenGradients implements AutoCloseable {
    private final Device device = Device.open("cpu", new DeviceOptions(1));
    private final Linear layer;
    private final Optimizer optimizer;
    private final Map<Optimizer.Cadence, Program> programs = new TreeMap<>();
    private final int rows;
    private final int columns;

    GivenGradients(int rows, int columns, double rate, double decay, Maker maker) {
        this.rows = rows;
        this.columns = columns;
        layer = new Linear(columns, rows, false);
        Linear last = new Linear(1, 1, false);
        Layer model = new Sequential(layer, last);
        model.initialize(device, 1);
        layer.weight().tensor().fill(0);
        optimizer = maker.make(device, List.of(new ParameterGroup(model.parameters(), rate, decay)));
        for (Optimizer.Cadence cadence : optimizer.cadences()) {
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value eye = io.kingfisher.optimizers.curvature.Matrices.identity(graph, columns, DType.F32);
            // W^T times D^T, element by element: D is the gradient of its sum.
            Value loss = layer.apply(r, eye)
                    .mul(graph.input("d", DType.F32, columns, rows))
                    .sum();
            Value other = last.apply(r, graph.ones(DType.F32, io.kingfisher.runtime.Shape.of(1, 1)))
                    .sum();
            optimizer.record(r.gradients(loss.add(other)), cadence);
            programs.put(cadence, device.compile(graph));
        }
    }

    Optimizer optimizer() {
        return optimizer;
    }

    /** One step with the gradient D, row by row; the weight after it. */
    double[] step(double... d) {
        Program program = programs.get(optimizer.advance());
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                program.input("d").set((long) j * rows + i, d[i * columns + j]);
            }
        }
        program.replay();
        optimizer.finish();
        return weight();
    }

    double[] weight() {
        return layer.weight().tensor().doubles();
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
        optimizer.close();
        device.close();
    }
}
