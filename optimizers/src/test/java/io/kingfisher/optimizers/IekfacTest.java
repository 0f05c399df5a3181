package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** ieKFAC: K-FAC with gradients divided by the length of their loss's gradient with respect to the output. */
class IekfacTest {
    private static final double FLOOR = 1e-12;

    /** The factors G of all layers of a net with so many outputs, in a batch whose errors are all alike or not. */
    private static Map<String, double[]> factors(int outputs, boolean alike, LabelSource... sources) {
        try (Device device = Device.open("reference", new DeviceOptions(1))) {
            Layer model = new Sequential(new Linear(3, 4), Activation.tanh(), new Linear(4, outputs));
            model.initialize(device, 3);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, 7, 3), prediction = model.apply(r, x);
            Value error = graph.input("error", DType.F32, 7, outputs);
            Gradients gradients = r.gradients(new MeanSquaredError()
                    .apply(r, prediction, prediction.add(error).detach()));
            for (int k = 0; k < sources.length; k++) {
                List<LabelSource.Draw> draws = sources[k].draws(gradients);
                for (LayerMatrix layer : LayerMatrix.of(gradients)) {
                    graph.output(
                            k + layer.path(),
                            Moments.of(layer, gradients, draws).outputs());
                }
            }
            Map<String, double[]> result = new HashMap<>();
            try (Program program = device.compile(graph)) {
                Random random = new Random(5);
                for (int i = 0; i < 21; i++) {
                    program.input("x").set(i, random.nextGaussian());
                }
                for (int i = 0; i < 7 * outputs; i++) {
                    double sign = random.nextBoolean() ? 1 : -1;
                    program.input("error").set(i, alike ? 0.5 * sign : random.nextGaussian());
                }
                program.replay();
                graph.outputs()
                        .keySet()
                        .forEach(name -> result.put(name, program.output(name).doubles()));
            }
            model.close();
            return result;
        }
    }

    /** Where all losses have equally long gradients s, the factor is the empirical one divided by s. */
    @Test
    void equalErrorsScaleTheEmpiricalFactor() {
        var all = factors(2, true, new LabelSource.Improved(FLOOR), new LabelSource.Empirical());
        // The loss of a sample is the mean of two squares: its gradient has two entries of +-0.5.
        for (String path : List.of("0.weight", "2.weight")) {
            double[] empirical = all.get("1" + path);
            for (int i = 0; i < empirical.length; i++) {
                assertEquals(empirical[i] / 0.5, all.get("0" + path)[i], 1e-6);
            }
        }
    }

    /** With one output it is the exact factor for an output curvature of 1, which is 2 for a squared error. */
    @Test
    void oneOutputGivesTheExactFactor() {
        var all = factors(1, false, new LabelSource.Improved(FLOOR), new LabelSource.Exact());
        for (String path : List.of("0.weight", "2.weight")) {
            double[] exact = all.get("1" + path);
            for (int i = 0; i < exact.length; i++) {
                assertEquals(exact[i] / 2, all.get("0" + path)[i], 1e-6 * (1 + Math.abs(exact[i])));
            }
        }
    }

    /** Samples that are fitted to the last bit leave no trace, and nothing that is not finite. */
    @Test
    void fittedSamplesCountAsNothing() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Kfac kfac = kfac(net, new LabelSource.Improved(1e30));
            net.compile(kfac, false);
            net.step();
            assertEquals(List.of(), kfac.reports());
            for (double value : net.everything().get("optimizer.0.weight.G")) {
                assertEquals(0, value, 1e-20);
            }
        }
    }

    private static Kfac kfac(TestNet net, LabelSource labels) {
        return new Kfac(net.device(), net.group(0.02, 1e-3), config(labels), new Clipping.None());
    }

    private static Kfac.Config config(LabelSource labels) {
        return new Kfac.Config(0.05, Kfac.Damping.FACTORED, 0.9, labels, 2, 4, 1e-3, 0.9);
    }

    /** A hundred steps beside K-FAC in double precision that is shown the divided gradients. */
    @ParameterizedTest
    @CsvSource({"MLP, 1", "MLP, 2", "CONV, 1", "CONV, 2", "TRANSFORMER, 1"})
    void followsTheReference(TestNet.Kind kind, int seed) {
        LabelSource labels = new LabelSource.Improved(FLOOR);
        try (TestNet net = TestNet.of(kind, seed)) {
            net.compile(kfac(net, labels), true);
            ReferenceKfac reference = new ReferenceKfac(config(labels), 0.02, 1e-3);
            Map<Parameter, double[]> p = net.parameters();
            for (int t = 1; t <= 100; t++) {
                Optimizer.Cadence cadence = net.step();
                if (cadence != Optimizer.Cadence.STEP) {
                    reference.refresh(divided(net.uses(), net.samples()), net.samples());
                }
                if (cadence == Optimizer.Cadence.SOLVE) {
                    reference.solve();
                }
                Map<Parameter, double[]> gradients = new HashMap<>();
                p.keySet().forEach(parameter -> gradients.put(parameter, net.gradient(parameter)));
                reference.step(p, gradients);
                SideBySide.compare(p, t);
            }
        }
    }

    /** The uses with each sample's gradients divided by the length of those of the last layer's output. */
    private static Map<Parameter, List<ReferenceFisher.Use>> divided(
            Map<Parameter, List<ReferenceFisher.Use>> uses, double samples) {
        double[] last = uses.values().stream().toList().getLast().getLast().ds();
        double[] lengths = new double[TestNet.BATCH];
        for (int i = 0; i < last.length; i++) {
            lengths[i * TestNet.BATCH / last.length] += Math.pow(samples * last[i], 2);
        }
        Map<Parameter, List<ReferenceFisher.Use>> result = new LinkedHashMap<>();
        uses.forEach((weight, seen) -> result.put(
                weight,
                seen.stream()
                        .map(use -> {
                            double[] ds = use.ds().clone();
                            for (int i = 0; i < ds.length; i++) {
                                ds[i] /= Math.sqrt(lengths[i * TestNet.BATCH / ds.length]);
                            }
                            return new ReferenceFisher.Use(use.capture(), use.a(), ds);
                        })
                        .toList()));
        return result;
    }

    /** A batch in several parts gives the factors of the batch in one. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CONV")
    void partsEqualTheWhole(TestNet.Kind kind) {
        Map<String, double[]> whole = after(kind, 1), parts = after(kind, 4);
        whole.forEach((name, expected) -> {
            if (name.endsWith(".G")) {
                double size = 1e-12;
                for (double value : expected) {
                    size = Math.max(size, Math.abs(value));
                }
                assertArrayEquals(expected, parts.get(name), 2e-5 * size, name);
            }
        });
    }

    private static Map<String, double[]> after(TestNet.Kind kind, int parts) {
        try (TestNet net = TestNet.of(kind, 2, TestNet.BATCH, parts)) {
            net.compile(kfac(net, new LabelSource.Improved(FLOOR)), false);
            net.step();
            return net.everything();
        }
    }

    @Test
    void refusesAFloorOfZero() {
        assertThrows(KingfisherException.class, () -> new LabelSource.Improved(0));
    }
}
