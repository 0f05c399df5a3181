package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A batch in several parts of unequal size gives the gradients and the curvature of the batch in one. */
class MicroBatchTest {
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CONV")
    void partsEqualTheWhole(TestNet.Kind kind) {
        for (Mode mode : Mode.values()) {
            Map<String, double[]> whole = after(kind, mode, 1), parts = after(kind, mode, 4);
            assertEquals(whole.keySet(), parts.keySet());
            whole.forEach((name, expected) -> {
                double[] actual = parts.get(name);
                double size = 1e-12;
                for (double value : expected) {
                    size = Math.max(size, Math.abs(value));
                }
                for (int i = 0; i < expected.length; i++) {
                    double error = Math.abs(expected[i] - actual[i]) / size;
                    assertTrue(error < 2e-5, mode + " " + name + "[" + i + "] is off by " + error);
                }
            });
        }
    }

    /** Parameters, momentum (here the gradient), diagonals and damping after one step. */
    private static Map<String, double[]> after(TestNet.Kind kind, Mode mode, int parts) {
        try (TestNet net = TestNet.of(kind, 2, TestNet.BATCH, parts)) {
            double rate = mode == Mode.RELATIVE ? 0.1 : 1e-4;
            net.compile(
                    new AdaFisher(net.device(), net.group(rate, 0), AdaFisherConfig.of(mode), new Clipping.None()),
                    false);
            net.step();
            return net.everything();
        }
    }
}
