package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClippingTest {
    private interface Rule {
        /** What clipping makes of an element, given the norm of all gradients. */
        DoubleUnaryOperator of(double norm);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.05, 1e9})
    void byGlobalNorm(double limit) {
        check(new Clipping.GlobalNorm(limit), norm -> g -> Math.min(1, limit / (norm + 1e-6)) * g);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.02, 1e9})
    void byValue(double limit) {
        check(new Clipping.ByValue(limit), _ -> g -> Math.max(-limit, Math.min(limit, g)));
    }

    @Test
    void limitsArePositive() {
        for (double limit : new double[] {0, -1, Double.NaN}) {
            String message = assertThrows(KingfisherException.class, () -> new Clipping.ByValue(limit))
                    .getMessage();
            assertTrue(message.contains(String.valueOf(limit)), message);
            assertThrows(KingfisherException.class, () -> new Clipping.GlobalNorm(limit));
        }
    }

    private static void check(Clipping clipping, Rule rule) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
            net.compile(new Sgd(net.device(), net.group(0.1, 0), new Sgd.Config(0, 0, false), clipping), true);
            Map<Parameter, double[]> p = net.parameters();
            for (int t = 1; t <= 20; t++) {
                net.step();
                double norm = Math.sqrt(p.keySet().stream()
                        .flatMapToDouble(q -> Arrays.stream(net.gradient(q)))
                        .map(x -> x * x)
                        .sum());
                DoubleUnaryOperator clip = rule.of(norm);
                p.forEach((parameter, values) -> {
                    double[] g = net.gradient(parameter);
                    for (int i = 0; i < g.length; i++) {
                        values[i] -= 0.1 * clip.applyAsDouble(g[i]);
                    }
                });
                SideBySide.compare(p, t);
            }
        }
    }
}
