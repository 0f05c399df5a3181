package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Numbers worked out by hand for a Linear 2 -> 2 that sees inputs (1, 0), (1, 2) and gradients (1, -1), (3, 1). */
class AdaFisherFixtureTest {
    private static final float[] INPUTS = {1, 0, 1, 2};
    private static final float[] GRADIENTS = {1, -1, 3, 1};

    /** A layer whose loss is sum(s * G), so that ds is G, with its optimizer and recorded refreshing step. */
    private static final class Rig implements AutoCloseable {
        final Device device = Device.open("cpu");
        final Linear layer = new Linear(2, 2);
        final AdaFisher optimizer;
        final Program program;

        Rig(AdaFisherConfig config, double rate, double decay) {
            layer.initialize(device, 1);
            optimizer = new AdaFisher(
                    device, List.of(new ParameterGroup(layer.parameters(), rate, decay)), config, new Clipping.None());
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value a = graph.input("a", DType.F32, 2, 2), g = graph.input("g", DType.F32, 2, 2);
            Gradients gradients = r.gradients(layer.apply(r, a).mul(g).sum());
            optimizer.record(gradients, Optimizer.Cadence.REFRESH);
            program = device.compile(graph);
            program.input("a").write(INPUTS);
            program.input("g").write(GRADIENTS);
        }

        void step() {
            optimizer.advance();
            program.replay();
        }

        double[] state(String name) {
            return optimizer.state().tensors().get(name).doubles();
        }

        @Override
        public void close() {
            device.close();
        }
    }

    @Test
    void releasedDiagonalsAfterOneRefresh() {
        try (Rig rig = new Rig(AdaFisherConfig.of(AdaFisherConfig.Mode.RELEASED), 1, 0)) {
            double[] before = rig.layer.weight().tensor().doubles();
            double[] bias = rig.layer.bias().orElseThrow().tensor().doubles();
            rig.step();
            assertArrayEquals(new double[] {.08, .088}, rig.state("weight.H"), 1e-8);
            assertArrayEquals(new double[] {.08}, rig.state("weight.H_bias"), 1e-8);
            assertArrayEquals(new double[] {.088, .08}, rig.state("weight.S"), 1e-8);
            // The first step's momentum, corrected, is the gradient itself: D = G^T A and its column sums.
            double[][] f = {{.00804, .008744, .00804}, {.0074, .00804, .0074}};
            double[][] d = {{4, 6, 4}, {0, 2, 0}};
            double[] after = rig.layer.weight().tensor().doubles();
            double[] biasAfter = rig.layer.bias().orElseThrow().tensor().doubles();
            for (int j = 0; j < 2; j++) {
                for (int i = 0; i < 2; i++) {
                    double step = before[2 * j + i] - after[2 * j + i];
                    assertEquals(d[j][i] / f[j][i], step, 1e-5 * (1 + step));
                }
                double step = bias[j] - biasAfter[j];
                assertEquals(d[j][2] / f[j][2], step, 1e-5 * (1 + step));
            }
        }
    }

    @Test
    void releasedAveragesSettleFarBelowOne() {
        AdaFisherConfig config = AdaFisherConfig.of(AdaFisherConfig.Mode.RELEASED);
        try (Rig rig = new Rig(config, 1e-9, 0)) {
            double[] largest = {0.088, 0.01504, 0.0092032, 0.00873626, 0.00869890};
            for (double expected : largest) {
                rig.step();
                double[] h = rig.state("weight.H");
                assertEquals(expected, Math.max(h[0], h[1]), 1e-7);
            }
            for (int i = 0; i < 50; i++) {
                rig.step();
            }
            assertEquals(0.00869565, rig.state("weight.H")[1], 1e-7);
            // F then lies in [lambda, 1.07561 lambda]: the step is within 7.1 percent of lr m / lambda.
            double most = rig.state("weight.H")[1] * rig.state("weight.S")[0] + config.lambda();
            assertEquals(0.00107561, most, 1e-7);
            assertTrue(1 - config.lambda() / most < 0.071);
        }
    }

    @Test
    void paperScalesAfterAveraging() {
        try (Rig rig = new Rig(AdaFisherConfig.of(AdaFisherConfig.Mode.PAPER), 1e-9, 0)) {
            for (int i = 0; i < 3; i++) {
                rig.step();
                // Raw H = (1, 2, 1) and S = (5, 1) in every step, so the average is proportional to them.
                assertArrayEquals(new double[] {0, 1}, rig.state("weight.H_scaled"), 1e-6);
                assertArrayEquals(new double[] {0}, rig.state("weight.H_bias_scaled"), 1e-6);
                assertArrayEquals(new double[] {1, 0}, rig.state("weight.S_scaled"), 1e-6);
            }
            assertArrayEquals(new double[] {1 * .488, 2 * .488}, rig.state("weight.H"), 1e-6);
        }
    }

    @Test
    void relativeStepsAverageToTheLearningRate() {
        for (double power : new double[] {1, 0.5}) {
            AdaFisherConfig base = AdaFisherConfig.of(AdaFisherConfig.Mode.RELATIVE);
            AdaFisherConfig config =
                    new AdaFisherConfig(base.mode(), 0, 1e-3, .8, 1, false, base.unmatched(), .1, power, 1e9, .95);
            try (Rig rig = new Rig(config, 1, 0)) {
                rig.step();
                double[] h = {1, 2, 1}, s = {5, 1};
                double damping = .1 * (8.0 / 6 * 3);
                double mean = 0;
                for (double hi : h) {
                    for (double sj : s) {
                        mean += Math.pow(hi * sj + damping, -power) / 6;
                    }
                }
                double scale = rig.state("weight.scale")[0], offset = rig.state("weight.damping")[0];
                double[] hh = rig.state("weight.H"), ss = rig.state("weight.S");
                for (int i = 0; i < 2; i++) {
                    for (int j = 0; j < 2; j++) {
                        double expected = Math.pow(h[i] * s[j] + damping, -power) / mean;
                        double actual = Math.pow(hh[i] * ss[j] * scale + offset, -power);
                        assertEquals(expected, actual, 1e-5 * expected);
                    }
                }
            }
        }
    }

    @Test
    void decoupledDecayAloneScalesTheWeights() {
        AdaFisherConfig config =
                AdaFisherConfig.of(AdaFisherConfig.Mode.RELEASED).withDecoupledDecay();
        try (Rig rig = new Rig(config, 0.25, 0.5)) {
            rig.program.input("g").write(new float[4]);
            double[] before = rig.layer.weight().tensor().doubles();
            rig.step();
            double[] after = rig.layer.weight().tensor().doubles();
            for (int i = 0; i < before.length; i++) {
                assertEquals((float) (before[i] * (1 - 0.25 * 0.5)), after[i], 1e-9);
            }
        }
    }
}
