package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;

/** A graph with inputs of given numbers on a device, run once or more. */
final class Run implements AutoCloseable {
    final Device device = Against.device();
    final Graph graph = new Graph();
    final Tensor state = device.allocate(DType.I32, Shape.of(4));
    private Program program;

    Value given(Given given) {
        Tensor tensor = device.allocate(given.dtype(), given.shape());
        tensor.write(given.values());
        return graph.read(tensor);
    }

    Recording train() {
        return Recording.train(graph, state);
    }

    void output(String name, Value value) {
        graph.output(name, value);
    }

    Run replay() {
        if (program == null) {
            program = device.compile(graph);
        }
        program.replay();
        return this;
    }

    double[] get(String name) {
        return program.output(name).doubles();
    }

    /** The sum over rows r of left[r, i] * right[r, j]. */
    static double[] outer(double[] left, int m, double[] right, int n) {
        double[] sum = new double[m * n];
        for (int r = 0; r < left.length / m; r++) {
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    sum[i * n + j] += left[r * m + i] * right[r * n + j];
                }
            }
        }
        return sum;
    }

    static double[] sum(double[]... parts) {
        double[] total = parts[0].clone();
        for (double[] part : Arrays.asList(parts).subList(1, parts.length)) {
            Arrays.setAll(total, i -> total[i] + part[i]);
        }
        return total;
    }

    @Override
    public void close() {
        device.close();
    }
}
