package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KfacTest {
    private static final double NEVER = Double.POSITIVE_INFINITY;

    private static Kfac.Config config(
            double damping,
            Kfac.Damping how,
            LabelSource labels,
            int statistics,
            int inverses,
            double clip,
            double mu) {
        return new Kfac.Config(damping, how, 0.9, labels, statistics, inverses, clip, mu);
    }

    /** A hundred steps of every net beside the reference; statistics and decompositions at different intervals. */
    @ParameterizedTest
    @CsvSource({
        "MLP, FACTORED, 1", "MLP, EXACT, 2", "CONV, FACTORED, 2", "CONV, EXACT, 1", "TRANSFORMER, FACTORED, 1",
        "TRANSFORMER, EXACT, 2", "DEPTHWISE, FACTORED, 1", "DEPTHWISE, EXACT, 2", "SHARED, FACTORED, 2",
                "TIED, FACTORED, 1",
        "TIED, EXACT, 2"
    })
    void followsTheReference(TestNet.Kind kind, Kfac.Damping how, int seed) {
        double rate = 0.02, decay = 1e-3;
        Kfac.Config config = config(0.05, how, new LabelSource.Empirical(), 3, 6, 1e-3, 0.9);
        try (TestNet net = TestNet.of(kind, seed)) {
            net.compile(new Kfac(net.device(), net.group(rate, decay), config, new Clipping.None()), true);
            ReferenceKfac reference = new ReferenceKfac(config, rate, decay);
            Map<Parameter, double[]> p = net.parameters(), start = net.parameters();
            for (int t = 1; t <= 100; t++) {
                Optimizer.Cadence cadence = net.step();
                assertEquals(
                        t % 6 == 1
                                ? Optimizer.Cadence.SOLVE
                                : t % 3 == 1 ? Optimizer.Cadence.REFRESH : Optimizer.Cadence.STEP,
                        cadence);
                if (cadence != Optimizer.Cadence.STEP) {
                    reference.refresh(net.uses(), net.samples());
                }
                if (cadence == Optimizer.Cadence.SOLVE) {
                    reference.solve();
                }
                Map<Parameter, double[]> gradients = new HashMap<>();
                p.keySet().forEach(parameter -> gradients.put(parameter, net.gradient(parameter)));
                reference.step(p, gradients);
                SideBySide.compare(p, t);
            }
            start.forEach((parameter, values) ->
                    assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
        }
    }

    /** With all of the curvature, one step of length 1 lands on the solution of a linear least-squares problem. */
    @Test
    void oneStepSolvesLeastSquares() {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = new Linear(4, 3);
            model.initialize(device, 1);
            Optimizer kfac = new Kfac(
                    device,
                    List.of(new ParameterGroup(model.parameters(), 1, 0)),
                    config(1e-12, Kfac.Damping.FACTORED, new LabelSource.Exact(), 1, 1, NEVER, 0),
                    new Clipping.None());
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, 12, 4), y = graph.input("y", DType.F32, 12, 3);
            Gradients gradients = r.gradients(new MeanSquaredError().apply(r, model.apply(r, x), y));
            kfac.record(gradients, Optimizer.Cadence.SOLVE);
            model.parameters().forEach(p -> graph.output(p.path(), gradients.of(p)));
            Program program = device.compile(graph);
            Random random = new Random(2);
            for (String name : List.of("x", "y")) {
                Tensor tensor = program.input(name);
                for (int i = 0; i < tensor.elements(); i++) {
                    tensor.set(i, random.nextGaussian());
                }
            }
            kfac.advance();
            program.replay();
            kfac.finish();
            kfac.advance();
            program.replay();
            for (Parameter p : model.parameters()) {
                for (double g : program.output(p.path()).doubles()) {
                    assertEquals(0, g, 1e-6, "the gradient at the solution, " + p.path());
                }
            }
            program.close();
            kfac.close();
            model.close();
        }
    }

    /** A = [[2, 1], [1, 2]], G = diag(3, 1), D = [[1, 2], [3, 4]], worked out by hand. */
    @ParameterizedTest
    @CsvSource({
        "FACTORED, 1, 0.03125, 0.15625, 0.3125, 0.5625",
        "EXACT, 1, 0.025, 0.275, 0.625, 1.125",
        "FACTORED, 1e-14, 0, 0.33333333, 0.66666667, 1.66666667",
        "EXACT, 1e-14, 0, 0.33333333, 0.66666667, 1.66666667"
    })
    void smallExample(Kfac.Damping how, double damping, double d00, double d01, double d10, double d11) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = new Linear(2, 2, false);
            model.initialize(device, 1);
            Parameter weight = model.parameters().get(0);
            Kfac kfac = new Kfac(
                    device,
                    List.of(new ParameterGroup(model.parameters(), 1, 0)),
                    config(damping, how, new LabelSource.Empirical(), 1, 1, NEVER, 0),
                    new Clipping.None());
            LayerMatrix layer = new LayerMatrix(LayerMatrix.Kind.LINEAR, weight, Optional.empty(), 1, 2, 2, List.of());
            Kfac.Layer factors = kfac.keep(layer);
            kfac.state().tensors().get(weight.path() + ".A").write(2f, 1f, 1f, 2f);
            kfac.state().tensors().get(weight.path() + ".G").write(3f, 0f, 0f, 1f);
            try (Decompositions decompositions = new Decompositions(device, kfac.jobs(layer, factors))) {
                decompositions.run();
            }
            Graph graph = new Graph();
            graph.output("v", kfac.direction(layer, factors, graph.constant(DType.F32, Shape.of(1, 2, 2), 1, 2, 3, 4)));
            try (Program program = device.compile(graph)) {
                program.replay();
                assertArrayEquals(
                        new double[] {d00, d01, d10, d11}, program.output("v").doubles(), 2e-6);
            }
            kfac.close();
            model.close();
        }
    }

    /** An invertible change of each layer's inputs, taken into the weights, changes nothing that the net computes. */
    @Test
    void pathDoesNotDependOnTheBasisOfInputs() {
        double[][] m = {{2, 0.5, 0}, {-1, 1, 0.3}, {0.2, 0, 0.5}};
        assertArrayEquals(path(Dense.identity(3)), path(m), 2e-3);
    }

    /** What the net says after some steps when its inputs are M x and its weights W M^-1. */
    private static double[] path(double[][] m) {
        try (Device device = Device.open("reference", new DeviceOptions(1))) {
            Linear first = new Linear(3, 4);
            Layer model = new Sequential(first, Activation.tanh(), new Linear(4, 2));
            model.initialize(device, 3);
            double[][] w = Dense.of(first.weight().tensor().doubles(), 0, 4, 3);
            double[][] moved = Dense.times(w, Dense.inverse(m));
            for (int i = 0; i < 12; i++) {
                first.weight().tensor().set(i, moved[i / 3][i % 3]);
            }
            Optimizer kfac = new Kfac(
                    device,
                    List.of(new ParameterGroup(model.parameters(), 0.1, 0)),
                    config(1e-12, Kfac.Damping.FACTORED, new LabelSource.Exact(), 1, 1, NEVER, 0),
                    new Clipping.None());
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, 20, 3), y = graph.input("y", DType.F32, 20, 2);
            Value prediction = model.apply(r, x);
            graph.output("prediction", prediction);
            kfac.record(r.gradients(new MeanSquaredError().apply(r, prediction, y)), Optimizer.Cadence.SOLVE);
            Program program = device.compile(graph);
            Random random = new Random(2);
            for (int n = 0; n < 20; n++) {
                double[] row = {random.nextGaussian(), random.nextGaussian(), random.nextGaussian()};
                for (int i = 0; i < 3; i++) {
                    program.input("x").set(n * 3 + i, m[i][0] * row[0] + m[i][1] * row[1] + m[i][2] * row[2]);
                }
                program.input("y").set(n * 2, Math.sin(row[0]));
                program.input("y").set(n * 2 + 1, row[1] * row[2]);
            }
            for (int t = 0; t < 15; t++) {
                kfac.advance();
                program.replay();
                kfac.finish();
            }
            double[] result = program.output("prediction").doubles();
            program.close();
            kfac.close();
            model.close();
            return result;
        }
    }

    /** Statistics that are not finite are left out; where a matrix cannot be taken apart, what was there stays, at most so long. */
    @Test
    void failuresAreReportedByLayerAndEnd() {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Tensor matrix = device.allocate(DType.F32, Shape.of(1, 2, 2)),
                    result = device.allocate(DType.F32, Shape.of(1, 2, 2));
            Decompositions decompositions = new Decompositions(
                    device, List.of(new Decompositions.Inverse("fc1.weight.A", graph -> graph.read(matrix), result)));
            matrix.write(2f, 0f, 0f, 4f);
            decompositions.run();
            assertArrayEquals(new double[] {0.5, 0, 0, 0.25}, result.doubles(), 1e-7);
            assertEquals(List.of(), decompositions.reports());
            // Singular: a ridge helps, and the report says so.
            matrix.write(1f, 1f, 1f, 1f);
            decompositions.run();
            assertTrue(decompositions.reports().get(0).contains("fc1.weight.A"));
            double[] before = result.doubles();
            matrix.write(1f, 0f, 0f, -1f);
            for (int i = 1; i < Decompositions.PATIENCE; i++) {
                decompositions.run();
                assertArrayEquals(before, result.doubles());
            }
            KingfisherException e = assertThrows(KingfisherException.class, decompositions::run);
            assertTrue(e.getMessage().contains("fc1.weight.A"), e.getMessage());
            decompositions.close();
            matrix.close();
            result.close();
        }
    }

    /** One bad batch is left out of the averages, and the optimizer says of which layers. */
    @Test
    void estimatesThatAreNotFiniteAreReported() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Kfac kfac = new Kfac(
                    net.device(),
                    net.group(1e-3, 0),
                    config(0.05, Kfac.Damping.FACTORED, new LabelSource.Empirical(), 1, 1, NEVER, 0),
                    new Clipping.None());
            net.compile(kfac, false);
            net.step();
            assertEquals(List.of(), kfac.reports());
            Tensor average = kfac.state().tensors().get("0.weight.A");
            double[] before = average.doubles();
            net.model().parameters().get(0).tensor().set(0, Double.NaN);
            net.step();
            assertTrue(kfac.reports().contains("0.weight.G: 1 estimates were not finite and were left out"));
            assertEquals(List.of(), kfac.reports());
            assertTrue(Arrays.stream(kfac.state().tensors().get("0.weight.G").doubles())
                    .allMatch(Double::isFinite));
            assertFalse(Arrays.equals(before, average.doubles()));
        }
    }

    @Test
    void refusesBadSettings() {
        for (double[] bad : new double[][] {{0, 1, 1, 0.9}, {1e-3, 0, 1, 0.9}, {1e-3, 1, 0, 0.9}, {1e-3, 1, 1, 1}}) {
            assertThrows(KingfisherException.class, () -> {
                Kfac.Config config = config(
                        bad[0],
                        Kfac.Damping.EXACT,
                        new LabelSource.Empirical(),
                        1,
                        (int) bad[1],
                        bad[2] == 0 ? 0 : 1,
                        bad[3]);
                try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
                    new Kfac(net.device(), net.group(1, 0), config, new Clipping.None());
                }
            });
        }
    }
}
