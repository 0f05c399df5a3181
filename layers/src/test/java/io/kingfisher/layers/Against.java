package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Compares a layer with libtorch: the result and the gradients of a random sum of it, for inputs and parameters. */
final class Against {
    static final double TOLERANCE = 1e-5;

    /** The same computation in libtorch, from parameters by path and inputs. */
    interface Oracle {
        Tensor apply(Map<String, Tensor> parameters, List<Tensor> inputs);
    }

    /** How the layer is applied. */
    interface Forward {
        Value apply(Recording r, List<Value> inputs);
    }

    private Against() {}

    static Device device() {
        return Device.open(System.getProperty("kingfisher.test.device", "cpu"));
    }

    static void check(Layer layer, Oracle oracle, Given... inputs) {
        check(layer, Recording.Mode.TRAIN, (r, x) -> layer.apply(r, x.get(0)), oracle, inputs);
    }

    static void check(Layer layer, Recording.Mode mode, Forward forward, Oracle oracle, Given... inputs) {
        try (Device device = device()) {
            check(device, layer, mode, forward, oracle, inputs);
        }
    }

    static void check(
            Device device, Layer layer, Recording.Mode mode, Forward forward, Oracle oracle, Given... inputs) {
        try (PointerScope _ = new PointerScope()) {
            layer.initialize(device, 5);
            perturb(layer);
            Map<String, Tensor> parameters = new LinkedHashMap<>();
            for (Variable v : layer.variables()) {
                parameters.put(
                        v.path(),
                        v instanceof Parameter
                                ? Torch.leaf(v.tensor().doubles(), v.shape())
                                : Torch.tensor(v.tensor().doubles(), v.shape()));
            }
            Graph graph = new Graph();
            Recording r = Recording.of(graph, mode, device.allocate(DType.I32, io.kingfisher.runtime.Shape.of(4)));
            List<Value> xs = new ArrayList<>();
            List<Tensor> ts = new ArrayList<>();
            for (Given given : inputs) {
                var tensor = device.allocate(given.dtype(), given.shape());
                tensor.write(given.values());
                xs.add(graph.read(tensor));
                ts.add(Torch.of(given.dtype(), given.values(), given.shape()));
            }
            Value y = forward.apply(r, xs);
            Tensor expected = oracle.apply(parameters, ts);
            assertArrayEquals(expected.sizes().vec().get(), y.shape().toArray(), "the shape of the result");

            Given weights = Given.normal(77, y.shape().toArray());
            var w = device.allocate(DType.F32, y.shape());
            w.write(weights.values());
            Value loss = y.mul(graph.read(w)).sum();
            expected.mul(Torch.tensor(weights.values(), y.shape())).sum().backward();

            List<Value> floating = xs.stream().filter(x -> x.dtype().floating()).toList();
            List<Value> dx = Autodiff.gradients(loss, floating);
            Gradients gradients = r.gradients(loss);
            graph.output("y", y);
            for (int i = 0; i < dx.size(); i++) {
                graph.output("dx" + i, dx.get(i));
            }
            gradients.parameters().forEach(p -> graph.output("d " + p.path(), gradients.of(p)));
            try (Program program = device.compile(graph)) {
                program.replay();
                close("y", Torch.doubles(expected), program.output("y").doubles());
                int i = 0;
                for (int k = 0; k < xs.size(); k++) {
                    if (xs.get(k).dtype().floating()) {
                        close(
                                "dx" + k,
                                grad(ts.get(k)),
                                program.output("dx" + i++).doubles());
                    }
                }
                for (Parameter p : layer.parameters()) {
                    close(
                            "d " + p.path(),
                            grad(parameters.get(p.path())),
                            program.output("d " + p.path()).doubles());
                }
            }
        }
    }

    private static double[] grad(Tensor leaf) {
        return leaf.grad().defined() ? Torch.doubles(leaf.grad()) : new double[(int) leaf.numel()];
    }

    /** Moves parameters off zeros and ones, which would hide mistakes. */
    static void perturb(Layer layer) {
        Random random = new Random(9);
        for (Parameter p : layer.parameters()) {
            double[] values = p.tensor().doubles();
            for (int i = 0; i < values.length; i++) {
                values[i] += 0.2 * random.nextGaussian();
            }
            p.tensor().write(values);
        }
        for (Buffer b : layer.buffers()) {
            if (b.dtype() == DType.F32) {
                double[] values = b.tensor().doubles();
                for (int i = 0; i < values.length; i++) {
                    values[i] += random.nextDouble();
                }
                b.tensor().write(values);
            }
        }
    }

    /** The largest difference is at most the tolerance times the largest expected magnitude. */
    static void close(String what, double[] expected, double[] actual) {
        close(what, expected, actual, TOLERANCE);
    }

    static void close(String what, double[] expected, double[] actual, double tolerance) {
        assertTrue(expected.length == actual.length, () -> what + ": " + expected.length + " != " + actual.length);
        // Where all is 0, rounding may leave a little.
        double largest = 1e-3, worst = 0;
        int at = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            double off = Math.abs(expected[i] - actual[i]);
            if (!(off <= worst)) {
                worst = off;
                at = i;
            }
        }
        double bound = tolerance * largest, off = worst;
        int i = at;
        assertTrue(
                off <= bound,
                () -> what + " differs by " + off + " at " + i + " (" + expected[i] + " expected, " + actual[i]
                        + " found), more than " + bound);
    }
}
