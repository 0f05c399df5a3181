package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CONTRIBUTING's example of a new method: it does what its paper says, from a configuration, and is what is shown there. */
class AdaGradTest {
    private static RunConfig config(String kwargs) {
        return Methods.reader()
                .withOptimizer(AdaGrad.method().schema())
                .parse(
                        "{dataset: a, network: b, optimizer: adagrad, optimizer_kwargs: {" + kwargs + "}}",
                        "a.yaml",
                        List.of());
    }

    /** A hundred steps beside a straight computation in double precision from the same gradients. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void isTheReference(long seed) {
        RunConfig config = config("eps: 1e-6, weight_decay: 0.01");
        double rate = config.optimizer().learningRate();
        Method method = AdaGrad.method();
        try (Device device = Device.open("cpu");
                var model = new Sequential(new Linear(3, 4), Activation.tanh(), new Linear(4, 2))) {
            model.initialize(device, seed);
            List<Parameter> parameters = model.parameters();
            double[][] expected =
                    parameters.stream().map(p -> p.tensor().doubles()).toArray(double[][]::new);
            double[][] sums = parameters.stream()
                    .map(p -> new double[(int) p.tensor().elements()])
                    .toArray(double[][]::new);
            var groups = List.of(new ParameterGroup(parameters, rate, 0.01));
            try (Optimizer optimizer = method.factory()
                            .make(device, groups, config.optimizer().settings(), new Clipping.None());
                    Program step = step(device, model, optimizer)) {
                var random = new Random(seed);
                for (int t = 0; t < 100; t++) {
                    fill(step, random);
                    optimizer.advance();
                    step.replay();
                    optimizer.finish();
                    for (int k = 0; k < expected.length; k++) {
                        double[] gradient = step.output("g" + k).doubles();
                        for (int i = 0; i < gradient.length; i++) {
                            double g = gradient[i] + 0.01 * expected[k][i];
                            sums[k][i] += g * g;
                            expected[k][i] -= rate * g / (Math.sqrt(sums[k][i]) + 1e-6);
                        }
                        assertArrayEquals(
                                expected[k], parameters.get(k).tensor().doubles(), 1e-5, "step " + t);
                    }
                }
            }
        }
    }

    private static Program step(Device device, Sequential model, Optimizer optimizer) {
        Graph graph = new Graph();
        var r = Recording.train(graph);
        var prediction = model.apply(r, graph.input("x", DType.F32, 5, 3));
        var gradients = r.gradients(new MeanSquaredError().apply(r, prediction, graph.input("y", DType.F32, 5, 2)));
        optimizer.record(gradients, Optimizer.Cadence.STEP);
        for (int k = 0; k < model.parameters().size(); k++) {
            graph.output("g" + k, gradients.of(model.parameters().get(k)));
        }
        return device.compile(graph);
    }

    private static void fill(Program step, Random random) {
        for (String name : List.of("x", "y")) {
            float[] values = new float[(int) step.input(name).elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            step.input(name).write(values);
        }
    }

    @Test
    void mistakesNameTheNearestKey() {
        var error = assertThrows(KingfisherException.class, () -> config("epsilon: 1"));
        assertTrue(error.getMessage().contains("AdaGrad has no key 'epsilon'"), error.getMessage());
        error = assertThrows(KingfisherException.class, () -> config("eps: 0"));
        assertTrue(
                error.getMessage().contains("a.yaml:1: optimizer_kwargs.eps: expected a number > 0"),
                error.getMessage());
    }

    @Test
    void isWhatContributingShows() throws IOException {
        List<String> source = Files.readAllLines(Path.of("src/test/java/io/kingfisher/train/AdaGrad.java"));
        List<String> page = Files.readAllLines(Path.of("../CONTRIBUTING.md"));
        int from = page.indexOf("```java");
        assertTrue(from >= 0, "CONTRIBUTING.md has no example");
        List<String> shown = page.subList(from + 1, from + 1 + source.size());
        assertEquals(String.join("\n", source), String.join("\n", shown));
        assertEquals("```", page.get(from + 1 + source.size()));
        assertTrue(source.size() < 60, source.size() + " lines");
    }
}
