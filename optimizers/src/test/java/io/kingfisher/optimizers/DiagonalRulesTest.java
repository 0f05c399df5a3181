package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.diagonal.AdaMax;
import io.kingfisher.optimizers.diagonal.Lion;
import io.kingfisher.runtime.KingfisherException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** AdaMax and Lion beside straight references, and what their papers say of a first step. */
class DiagonalRulesTest {
    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV"})
    void followTheReference(TestNet.Kind kind) {
        for (int seed = 1; seed <= 2; seed++) {
            SideBySide.run(
                    kind,
                    seed,
                    100,
                    net -> new AdaMax(
                            net.device(),
                            net.group(3e-3, 1e-2),
                            new AdaMax.Config(0.9, 0.99, 1e-8),
                            new Clipping.None()),
                    null,
                    adaMax(3e-3, 0.9, 0.99, 1e-8, 1e-2));
            SideBySide.run(
                    kind,
                    seed,
                    100,
                    net -> new Lion(net.device(), net.group(1e-3, 0.3), Lion.Config.usual(), new Clipping.None()),
                    null,
                    lion(1e-3, 0.9, 0.99, 0.3));
        }
    }

    private static ReferenceOptimizer adaMax(double lr, double b1, double b2, double eps, double decay) {
        Map<String, double[]> means = new HashMap<>(), bounds = new HashMap<>();
        return (path, p, g, fisher, t) -> {
            double[] m = means.computeIfAbsent(path, _ -> new double[p.length]);
            double[] u = bounds.computeIfAbsent(path, _ -> new double[p.length]);
            for (int i = 0; i < p.length; i++) {
                double d = g[i] + decay * p[i];
                m[i] = b1 * m[i] + (1 - b1) * d;
                u[i] = Math.max(b2 * u[i], Math.abs(d) + eps);
                p[i] -= lr / (1 - Math.pow(b1, t)) * m[i] / u[i];
            }
        };
    }

    private static ReferenceOptimizer lion(double lr, double b1, double b2, double decay) {
        Map<String, double[]> momenta = new HashMap<>();
        return (path, p, g, fisher, t) -> {
            double[] m = momenta.computeIfAbsent(path, _ -> new double[p.length]);
            for (int i = 0; i < p.length; i++) {
                double sign = Math.signum(b1 * m[i] + (1 - b1) * g[i]);
                p[i] -= lr * (decay * p[i] + sign);
                m[i] = b2 * m[i] + (1 - b2) * g[i];
            }
        };
    }

    /** Both begin with -lr sign(g), whatever the size of the gradient. */
    @Test
    void firstStepIsTheSign() {
        for (String rule : List.of("AdaMax", "Lion")) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 4)) {
                List<ParameterGroup> group = net.group(0.25, 0);
                net.compile(
                        rule.equals("Lion")
                                ? new Lion(net.device(), group, Lion.Config.usual(), new Clipping.None())
                                : new AdaMax(
                                        net.device(), group, new AdaMax.Config(0.9, 0.999, 1e-30), new Clipping.None()),
                        true);
                Map<Parameter, double[]> before = net.parameters();
                net.step();
                before.forEach((parameter, p) -> {
                    double[] g = net.gradient(parameter),
                            after = parameter.tensor().doubles();
                    for (int i = 0; i < p.length; i++) {
                        assertEquals(p[i] - 0.25 * Math.signum(g[i]), after[i], 1e-6, rule + " " + parameter.path());
                    }
                });
            }
        }
    }

    @Test
    void refuseBadSettings() {
        assertThrows(KingfisherException.class, () -> new AdaMax.Config(1, 0.9, 1e-8));
        assertThrows(KingfisherException.class, () -> new AdaMax.Config(0.9, Double.NaN, 1e-8));
        assertThrows(KingfisherException.class, () -> new AdaMax.Config(0.9, 0.9, 0));
        assertThrows(KingfisherException.class, () -> new Lion.Config(1.1, 0.9));
        assertThrows(KingfisherException.class, () -> new Lion.Config(0.9, 1));
    }
}
