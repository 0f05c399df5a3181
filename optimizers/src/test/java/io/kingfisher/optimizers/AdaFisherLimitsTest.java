package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Initializer;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.optimizers.AdaFisherConfig.Unmatched;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Cases in which AdaFisher must become something simpler, and inputs at the edge of what it can take. */
class AdaFisherLimitsTest {
    private static AdaFisherConfig with(Mode mode, double lambda, long interval, Unmatched unmatched) {
        AdaFisherConfig c = AdaFisherConfig.of(mode);
        return new AdaFisherConfig(
                mode, c.beta(), lambda, c.gamma(), interval, false, unmatched, c.tau(), c.power(), c.cap(), c.decay());
    }

    /** Without curvature the rule is Adam's momentum, corrected, with the learning rate lr / lambda. */
    private static double[] momentum(double[] p, double[] g, double[] m, double rate, int t) {
        for (int i = 0; i < p.length; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            p[i] -= rate * m[i] / (1 - Math.pow(0.9, t));
        }
        return p;
    }

    @Test
    void paperWithFactorsOfOneValueIsSgdWithMomentum() {
        try (Device device = Device.open("cpu")) {
            Linear layer = new Linear(3, 2, false);
            layer.initialize(device, 1);
            AdaFisher optimizer = new AdaFisher(
                    device,
                    List.of(new ParameterGroup(layer.parameters(), 1e-4, 0)),
                    with(Mode.PAPER, 1e-3, 2, Unmatched.LAMBDA),
                    new Clipping.None());
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value a = graph.input("a", DType.F32, 4, 3), g = graph.input("g", DType.F32, 4, 2);
            Gradients gradients = r.gradients(layer.apply(r, a).mul(g).sum());
            graph.output("gradient", gradients.of(layer.weight()));
            optimizer.record(gradients, Optimizer.Cadence.REFRESH);
            Program program = device.compile(graph);
            // Inputs of -1 and 1 have equal squares.
            program.input("a").write(new float[] {1, -1, 1, -1, -1, 1, 1, 1, 1, -1, 1, -1});
            double[] expected = layer.weight().tensor().doubles(), m = new double[6];
            for (int t = 1; t <= 20; t++) {
                for (int i = 0; i < 8; i++) {
                    program.input("g").set(i, Math.sin(i + 3 * t));
                }
                optimizer.advance();
                program.replay();
                momentum(expected, program.output("gradient").doubles(), m, 1e-4 / 1e-3, t);
                SideBySide.compare(Map.of(layer.weight(), expected), t);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RELEASED", "PAPER"})
    void muchDampingIsSgdWithMomentum(Mode mode) {
        try (TestNet net = TestNet.of(TestNet.Kind.CONV, 1)) {
            net.compile(
                    new AdaFisher(
                            net.device(), net.group(1e4, 0), with(mode, 1e6, 5, Unmatched.LAMBDA), new Clipping.None()),
                    true);
            Map<Parameter, double[]> p = net.parameters(), m = new HashMap<>();
            p.forEach((parameter, values) -> m.put(parameter, new double[values.length]));
            for (int t = 1; t <= 20; t++) {
                net.step();
                int step = t;
                p.forEach((parameter, values) ->
                        momentum(values, net.gradient(parameter), m.get(parameter), 1e4 / 1e6, step));
                SideBySide.compare(p, t);
            }
        }
    }

    /** Entry by entry on a net that trains: once the averages are steady, F is between lambda and 1.0757 lambda. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV", "TRANSFORMER"})
    void releasedStepsSettleNearLambda(TestNet.Kind kind) {
        try (TestNet net = TestNet.of(kind, 1)) {
            AdaFisher optimizer = new AdaFisher(
                    net.device(),
                    net.group(1e-5, 0),
                    with(Mode.RELEASED, 1e-3, 1, Unmatched.LAMBDA),
                    new Clipping.None());
            net.compile(optimizer, false);
            double least = 1, most = 0;
            for (int t = 1; t <= 40; t++) {
                Map<Parameter, double[]> before = net.parameters();
                net.step();
                if (t <= 10) {
                    continue;
                }
                for (Map.Entry<Parameter, double[]> entry : before.entrySet()) {
                    double[] after = entry.getKey().tensor().doubles();
                    double[] m = optimizer
                            .state()
                            .tensors()
                            .get(entry.getKey().path() + ".exp_avg")
                            .doubles();
                    for (int i = 0; i < after.length; i++) {
                        double free = 1e-5 * m[i] / (1 - Math.pow(0.9, t)) / 1e-3;
                        if (Math.abs(free) > 1e-4) {
                            double ratio = (entry.getValue()[i] - after[i]) / free;
                            least = Math.min(least, ratio);
                            most = Math.max(most, ratio);
                        }
                    }
                }
            }
            // A parameter of size 1 has steps of 1e-4 to about one part in a thousand.
            assertTrue(least > 1 - 0.071 - 1e-3 && most < 1 + 1e-3, least + " to " + most);
            assertTrue(least < 1 - 0.01, "some element has curvature, not " + least);
        }
    }

    /** y = x * scale by channel: a layer that declares no capture. */
    private static final class Scale extends Layer {
        final Parameter scale = parameter("scale", Shape.of(2), Initializer.constant(1));

        @Override
        protected Value forward(Recording r, Value x) {
            return x.mul(r.value(scale));
        }
    }

    @ParameterizedTest
    @EnumSource
    void layersWithoutARuleAreUpdatedAndListed(Mode mode) {
        for (Unmatched unmatched : Unmatched.values()) {
            double constant = mode == Mode.RELATIVE || unmatched == Unmatched.ONE ? 1 : 1e-3;
            try (Device device = Device.open("cpu")) {
                Scale own = new Scale();
                Layer model = new Sequential(new Linear(3, 2), own);
                model.initialize(device, 1);
                AdaFisher optimizer = new AdaFisher(
                        device,
                        List.of(new ParameterGroup(model.parameters(), 1e-3, 0)),
                        with(mode, 1e-3, 1, unmatched),
                        new Clipping.None());
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                Value x = graph.input("x", DType.F32, 1, 3);
                Gradients gradients = r.gradients(model.apply(r, x).square().sum());
                graph.output("g", gradients.of(own.scale));
                optimizer.record(gradients, Optimizer.Cadence.REFRESH);
                assertEquals(1, optimizer.notes().size());
                String note = optimizer.notes().get(0);
                assertTrue(note.startsWith("1.scale:") && note.endsWith("F = " + constant), note);
                Program program = device.compile(graph);
                program.input("x").write(new float[] {1, 2, 3});
                optimizer.advance();
                program.replay();
                double[] g = program.output("g").doubles(),
                        p = own.scale.tensor().doubles();
                for (int i = 0; i < 2; i++) {
                    assertEquals(1 - 1e-3 * g[i] / constant, p[i], 1e-6 * (1 + Math.abs(p[i])));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void batchesOfOne(Mode mode) {
        for (TestNet.Kind kind : TestNet.Kind.values()) {
            try (TestNet net = TestNet.of(kind, 1, 1, 1)) {
                net.compile(
                        new AdaFisher(net.device(), net.group(1e-4, 0), AdaFisherConfig.of(mode), new Clipping.None()),
                        false);
                for (int t = 0; t < 3; t++) {
                    net.step();
                }
                net.everything()
                        .forEach((name, values) ->
                                assertTrue(Arrays.stream(values).allMatch(Double::isFinite), kind + " " + name));
            }
        }
    }

    /** Zero gradients everywhere have zero curvature, by which nothing may be divided. */
    @ParameterizedTest
    @EnumSource
    void noGradientNoStep(Mode mode) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Parameter last = net.model().parameters().get(2);
            net.compile(
                    new AdaFisher(net.device(), net.group(1e-2, 0), AdaFisherConfig.of(mode), new Clipping.None()),
                    true);
            // With a last weight of zeros the layers below it get no gradient.
            last.tensor().fill(0);
            Map<Parameter, double[]> before = net.parameters();
            net.step();
            Parameter first = net.model().parameters().get(0);
            assertEquals(
                    0, Arrays.stream(net.gradient(first)).map(Math::abs).max().orElseThrow());
            assertEquals(
                    Arrays.toString(before.get(first)),
                    Arrays.toString(first.tensor().doubles()));
            assertTrue(Arrays.stream(last.tensor().doubles()).allMatch(Double::isFinite));
            net.step();
            net.everything()
                    .forEach((name, values) -> assertTrue(Arrays.stream(values).allMatch(Double::isFinite), name));
        }
    }

    /** What is not a number stays so and is left to the training loop to notice; nothing crashes. */
    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#all")
    void gradientsThatAreNotNumbers(Maker maker) {
        for (Clipping clipping : List.of(new Clipping.None(), new Clipping.GlobalNorm(1), new Clipping.ByValue(1))) {
            try (TestNet net = TestNet.of(TestNet.Kind.CONV, 1)) {
                if (maker.solves() && !(clipping instanceof Clipping.None)) {
                    long live = net.device().live();
                    assertThrows(KingfisherException.class, () -> maker.make(net, net.group(1e-3, 0), clipping));
                    assertEquals(live, net.device().live());
                    continue;
                }
                net.compile(maker.make(net, net.group(1e-3, 0), clipping), false);
                net.model().parameters().get(0).tensor().set(0, Double.NaN);
                net.step();
                net.step();
                assertTrue(Double.isNaN(net.loss()));
                assertTrue(Double.isNaN(net.model().parameters().get(0).tensor().get(0)));
            }
        }
    }

    @Test
    void decoupledDecayIsApartFromTheCurvature() {
        for (Mode mode : Mode.values()) {
            AdaFisherConfig config = AdaFisherConfig.of(mode).withDecoupledDecay();
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
                net.compile(new AdaFisher(net.device(), net.group(0.25, 0.5), config, new Clipping.None()), false);
                Parameter first = net.model().parameters().get(0);
                net.model().parameters().get(2).tensor().fill(0);
                double[] before = first.tensor().doubles();
                net.step();
                double[] after = first.tensor().doubles();
                for (int i = 0; i < before.length; i++) {
                    // Both factors are powers of two: the product is exact.
                    assertEquals((float) (before[i] * (1 - 0.125)), after[i], Math.ulp((float) before[i]) / 2);
                }
            }
        }
    }
}
