package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.LossScale;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loss scaling against a plain loop in double precision, with gradients that overflow in some steps. */
class LossScaleTest {
    /** The plain loop: the same scale and the same optimizer, one number per weight. */
    private static final class Plain {
        final double[] w, m, v;
        double scale = 65536;
        int good, counted, skipped;

        Plain(double[] w) {
            this.w = w.clone();
            m = new double[w.length];
            v = new double[w.length];
        }

        void step(double[] gradient, boolean adam, int growthInterval) {
            for (double g : gradient) {
                if (Float.isInfinite((float) (g * scale))) {
                    scale *= 0.5;
                    good = 0;
                    skipped++;
                    return;
                }
            }
            counted++;
            for (int i = 0; i < w.length; i++) {
                double g = gradient[i];
                if (adam) {
                    m[i] = 0.9 * m[i] + 0.1 * g;
                    v[i] = 0.999 * v[i] + 0.001 * g * g;
                    double mean = m[i] / (1 - Math.pow(0.9, counted)), square = v[i] / (1 - Math.pow(0.999, counted));
                    w[i] -= 0.01 * mean / (Math.sqrt(square) + 1e-8);
                } else {
                    m[i] = counted == 1 ? g : 0.9 * m[i] + 0.5 * g;
                    w[i] -= 1e-3 * m[i];
                }
            }
            if (++good == growthInterval) {
                scale *= 2;
                good = 0;
            }
        }
    }

    /** The gradient of the sum of x w^T is x: a large x overflows once it is scaled. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void skipsAndGrowsAsAPlainLoop(boolean adam) {
        int growthInterval = 4;
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Linear model = new Linear(3, 1, false);
            model.initialize(device, 5);
            var groups = List.of(new ParameterGroup(model.parameters(), adam ? 0.01 : 1e-3, 0));
            Optimizer optimizer = adam
                    ? new Adam(device, groups, Adam.Config.adam(), new Clipping.None())
                    : new Sgd(device, groups, new Sgd.Config(0.9, 0.5, false), new Clipping.None());
            LossScale scale = new LossScale(device, new LossScale.Config(65536, 2, 0.5, growthInterval));
            Graph graph = new Graph();
            Value x = graph.input("x", DType.F32, 1, 3);
            Recording r = Recording.train(graph).lossScale(scale);
            optimizer.record(r.gradients(model.apply(r, x).sum()), Optimizer.Cadence.STEP);
            Program program = device.compile(graph);
            Plain plain = new Plain(model.weight().tensor().doubles());
            for (int step = 0; step < 40; step++) {
                // 2^118 overflows with the first scales and no longer after some skipped steps.
                double large = step % 10 < 4 ? 0x1p118 : 1;
                double[] given = {0.5 + step % 3, -1.25, step < 4 || step > 30 ? large : 0.25};
                double[] unit = given.clone();
                program.input("x").write(given);
                optimizer.advance();
                program.replay();
                plain.step(unit, adam, growthInterval);
                assertEquals(plain.scale, scale.scale(), "scale after step " + step);
                assertEquals(plain.skipped, scale.skipped(), "skipped after step " + step);
                double[] w = model.weight().tensor().doubles();
                for (int i = 0; i < w.length; i++) {
                    assertEquals(plain.w[i], w[i], 1e-5 * Math.max(1, Math.abs(plain.w[i])), "w after step " + step);
                }
            }
            assertTrue(plain.skipped > 3 && plain.counted > 20, plain.skipped + " skipped");
        }
    }

    /** A small net with everything that a step changes: weights, momentum, curvature, running statistics. */
    private static final class Net implements AutoCloseable {
        final Device device = Device.open("cpu", new DeviceOptions(1));
        final Layer model = new Sequential(
                new Conv2d(2, 3, 3, 3, io.kingfisher.runtime.graph.Convolution.of(1, 1, 1, 1), true),
                new BatchNorm2d(3),
                new Flatten(),
                new Linear(3 * 4 * 5, 4));
        final LossScale scale;
        final Optimizer optimizer;
        final Map<Optimizer.Cadence, Program> programs = new EnumMap<>(Optimizer.Cadence.class);

        Net(Maker maker, boolean scaled) {
            model.initialize(device, 3);
            scale = new LossScale(device, LossScale.Config.usual());
            optimizer = maker.make(device, List.of(new ParameterGroup(model.parameters(), 1e-3, 1e-2)));
            for (Optimizer.Cadence cadence : optimizer.cadences()) {
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                if (scaled) {
                    r.lossScale(scale);
                }
                Value x = graph.input("x", DType.F32, 3, 2, 4, 5), y = graph.input("y", DType.I32, 3);
                // A factor of the loss lets gradients overflow while the activations stay as they are.
                Value factor = graph.input("factor", DType.F32);
                Value loss = new CrossEntropy().apply(r, model.apply(r, x), y).mean();
                Gradients gradients = r.gradients(loss.mul(factor));
                optimizer.record(gradients, cadence);
                programs.put(cadence, device.compile(graph));
            }
        }

        void step(double factor, int data) {
            Program program = programs.get(optimizer.advance());
            var random = new java.util.Random(data);
            for (int i = 0; i < program.input("x").elements(); i++) {
                program.input("x").set(i, random.nextGaussian());
            }
            program.input("y").write(0, 3, 1);
            program.input("factor").write(factor);
            program.replay();
            optimizer.finish();
        }

        Map<String, double[]> everything() {
            Map<String, double[]> all = new LinkedHashMap<>();
            model.variables().forEach(v -> all.put(v.path(), v.tensor().doubles()));
            optimizer.state().tensors().forEach((name, tensor) -> all.put(name, tensor.doubles()));
            return all;
        }

        @Override
        public void close() {
            device.close();
        }
    }

    private static void same(Map<String, double[]> expected, Map<String, double[]> got) {
        assertEquals(expected.keySet(), got.keySet());
        expected.forEach((name, values) -> assertArrayEquals(values, got.get(name), name));
    }

    /** A step that does not count leaves every bit as it was, and the next goes on as if there had been none. */
    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#firstOrder")
    void skippedStepChangesNothing(Maker maker) {
        try (Net net = new Net(maker, true);
                Net other = new Net(maker, true)) {
            for (int i = 0; i < 3; i++) {
                net.step(1, i);
                other.step(1, i);
            }
            same(other.everything(), net.everything());
            Map<String, double[]> before = net.everything();
            net.step(Float.MAX_VALUE, 3);
            net.step(Double.NaN, 3);
            assertEquals(2, net.scale.skipped());
            assertEquals(65536 / 4, net.scale.scale());
            same(before, net.everything());
            // All scales are powers of two, so that other scales give the same gradients.
            net.step(1, 4);
            other.step(1, 4);
            same(other.everything(), net.everything());
            assertFalse(net.everything().values().stream()
                    .flatMapToDouble(java.util.Arrays::stream)
                    .anyMatch(Double::isNaN));
        }
    }

    /** Where nothing overflows, scaling by powers of two rounds nothing; sums may go in another order. */
    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#firstOrder")
    void scalingAloneChangesNothing(Maker maker) {
        try (Net scaled = new Net(maker, true);
                Net plain = new Net(maker, false)) {
            for (int i = 0; i < 4; i++) {
                scaled.step(1, i);
                // Without scaling the curvature is refreshed less often in a run's first steps.
                plain.programs.replaceAll((cadence, program) -> plain.programs.getOrDefault(
                        plain.optimizer.cadences().contains(Optimizer.Cadence.REFRESH)
                                ? Optimizer.Cadence.REFRESH
                                : cadence,
                        program));
                plain.step(1, i);
            }
            Map<String, double[]> got = scaled.everything();
            plain.everything().forEach((name, values) -> {
                double size =
                        java.util.Arrays.stream(values).map(Math::abs).max().orElse(0);
                assertArrayEquals(values, got.get(name), 1e-5 * size, name);
            });
            assertEquals(0, scaled.scale.skipped());
        }
    }

    @Test
    void refusesImpossibleScales() {
        assertThrows(KingfisherException.class, () -> new LossScale.Config(0, 2, 0.5, 10));
        assertThrows(KingfisherException.class, () -> new LossScale.Config(1, 0.5, 0.5, 10));
        assertThrows(KingfisherException.class, () -> new LossScale.Config(1, 2, 0, 10));
        assertThrows(KingfisherException.class, () -> new LossScale.Config(1, 2, 0.5, 0));
        assertThrows(KingfisherException.class, () -> new LossScale.Config(Double.NaN, 2, 0.5, 1));
    }
}
