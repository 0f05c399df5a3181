package io.kingfisher.optimizers;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;

/** A single linear layer, where methods can be followed by hand. */
final class OneLinear {
    /** The Hessian of the mean squared error of three outputs is this times the identity. */
    static final double OUTPUT_HESSIAN = 2.0 / 3;

    private OneLinear() {}

    /**
     * The direction in which the first step goes from zero weights without bias.
     *
     * @param x the inputs, a row for each sample
     * @param ds the gradients of the samples' losses with respect to the outputs, a column for each sample
     */
    static double[] direction(BiFunction<Device, List<ParameterGroup>, Optimizer> maker, double[][] x, double[][] ds) {
        int n = x.length, in = x[0].length, out = ds.length;
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Linear layer = new Linear(in, out, false);
            layer.initialize(device, 1);
            layer.weight().tensor().fill(0);
            Optimizer optimizer = maker.apply(device, List.of(new ParameterGroup(layer.parameters(), 1, 0)));
            Map<Optimizer.Cadence, Program> programs = new EnumMap<>(Optimizer.Cadence.class);
            for (Optimizer.Cadence cadence : optimizer.cadences()) {
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                Value s = layer.apply(r, constant(graph, x));
                optimizer.record(
                        r.gradients(s.mul(constant(graph, ds).t()).sum().mul(1.0 / n)), cadence);
                programs.put(cadence, device.compile(graph));
            }
            programs.get(optimizer.advance()).replay();
            optimizer.finish();
            double[] result = layer.weight().tensor().doubles();
            for (int i = 0; i < result.length; i++) {
                result[i] = -result[i];
            }
            programs.values().forEach(Program::close);
            optimizer.close();
            layer.close();
            return result;
        }
    }

    private static Value constant(Graph graph, double[][] rows) {
        double[] all = new double[rows.length * rows[0].length];
        for (int i = 0; i < all.length; i++) {
            all[i] = rows[i / rows[0].length][i % rows[0].length];
        }
        return graph.constant(DType.F32, io.kingfisher.runtime.Shape.of(rows.length, rows[0].length), all);
    }

    /** The parameters and their gradients after some steps of least squares on 12 samples with 4 inputs and 3 outputs. */
    static double[][] leastSquares(BiFunction<Device, List<ParameterGroup>, Optimizer> maker, double rate, int steps) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Linear layer = new Linear(4, 3);
            layer.initialize(device, 1);
            Optimizer optimizer = maker.apply(device, List.of(new ParameterGroup(layer.parameters(), rate, 0)));
            Map<Optimizer.Cadence, Program> programs = new EnumMap<>(Optimizer.Cadence.class);
            for (Optimizer.Cadence cadence : optimizer.cadences()) {
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                Value x = graph.input("x", DType.F32, 12, 4), y = graph.input("y", DType.F32, 12, 3);
                Gradients gradients = r.gradients(new MeanSquaredError().apply(r, layer.apply(r, x), y));
                optimizer.record(gradients, cadence);
                layer.parameters().forEach(p -> graph.output(p.path(), gradients.of(p)));
                Program program = device.compile(graph);
                programs.put(cadence, program);
                Random random = new Random(2);
                for (String name : List.of("x", "y")) {
                    for (int i = 0; i < program.input(name).elements(); i++) {
                        program.input(name).set(i, random.nextGaussian());
                    }
                }
            }
            double[][] result = new double[2 * layer.parameters().size()][];
            for (int t = 0; t < steps; t++) {
                Program program = programs.get(optimizer.advance());
                program.replay();
                optimizer.finish();
                int k = 0;
                for (Parameter p : layer.parameters()) {
                    result[k++] = p.tensor().doubles();
                    result[k++] = program.output(p.path()).doubles();
                }
            }
            programs.values().forEach(Program::close);
            optimizer.close();
            layer.close();
            return result;
        }
    }
}
