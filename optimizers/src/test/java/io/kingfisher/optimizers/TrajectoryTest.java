package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every optimizer for 300 steps on three kinds of net and two seeds beside a straight double-precision reference, which gets
 * the engine's gradients and captures and keeps parameters and state of its own.
 */
class TrajectoryTest {
    private static final int STEPS = 60;
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @EnumSource(TestNet.Kind.class)
    void sgd(TestNet.Kind kind) {
        for (int seed = 1; seed <= 2; seed++) {
            run(
                    kind,
                    seed,
                    5e-4,
                    groups(0.05, 5e-4, new Sgd.Config(0.9, 0, true)),
                    null,
                    ReferenceOptimizer.sgd(0.05, 0.9, 0, true, 5e-4));
            run(
                    kind,
                    seed,
                    0,
                    groups(0.05, 0, new Sgd.Config(0, 0, false)),
                    null,
                    ReferenceOptimizer.sgd(0.05, 0, 0, false, 0));
            run(
                    kind,
                    seed,
                    0,
                    groups(0.05, 0, new Sgd.Config(0.8, 0.3, false)),
                    null,
                    ReferenceOptimizer.sgd(0.05, 0.8, 0.3, false, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(TestNet.Kind.class)
    void adam(TestNet.Kind kind) {
        for (int seed = 1; seed <= 2; seed++) {
            run(
                    kind,
                    seed,
                    1e-2,
                    net -> new Adam(net.device(), net.group(3e-3, 1e-2), Adam.Config.adam(), new Clipping.None()),
                    null,
                    ReferenceOptimizer.adam(3e-3, .9, .999, 1e-8, 1e-2, false));
            run(
                    kind,
                    seed,
                    1e-1,
                    net -> new Adam(net.device(), net.group(3e-3, 1e-1), Adam.Config.adamW(), new Clipping.None()),
                    null,
                    ReferenceOptimizer.adam(3e-3, .9, .999, 1e-8, 1e-1, true));
        }
    }

    @ParameterizedTest
    @EnumSource(TestNet.Kind.class)
    void adaFisher(TestNet.Kind kind) {
        for (AdaFisherConfig.Mode mode : AdaFisherConfig.Mode.values()) {
            for (int seed = 1; seed <= 2; seed++) {
                boolean decoupled = seed == 2;
                double rate = mode == AdaFisherConfig.Mode.RELATIVE ? 0.1 : 1e-4, decay = decoupled ? 0.1 : 5e-4;
                AdaFisherConfig plain = AdaFisherConfig.of(mode).withRefreshInterval(10);
                AdaFisherConfig config = decoupled ? plain.withDecoupledDecay() : plain;
                run(
                        kind,
                        seed,
                        decay,
                        net -> new AdaFisher(net.device(), net.group(rate, decay), config, new Clipping.None()),
                        config,
                        ReferenceOptimizer.adaFisher(rate, .9, decay, decoupled));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.05, 1e9})
    void clippedSgdTakesTheClippedGradient(double limit) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
            Optimizer optimizer = new Sgd(
                    net.device(), net.group(0.1, 0), new Sgd.Config(0, 0, false), new Clipping.GlobalNorm(limit));
            net.compile(optimizer, true);
            Map<Parameter, double[]> p = net.parameters();
            for (int t = 1; t <= 20; t++) {
                net.step(t);
                double norm = Math.sqrt(p.keySet().stream()
                        .flatMapToDouble(q -> Arrays.stream(net.gradient(q)))
                        .map(x -> x * x)
                        .sum());
                double factor = Math.min(1, limit / (norm + 1e-6));
                p.forEach((parameter, values) -> {
                    double[] g = net.gradient(parameter);
                    for (int i = 0; i < g.length; i++) {
                        values[i] -= 0.1 * factor * g[i];
                    }
                });
                compare(net, p, t, TOLERANCE);
            }
        }
    }

    private interface Maker {
        Optimizer make(TestNet net);
    }

    private static Maker groups(double rate, double decay, Sgd.Config config) {
        return net -> new Sgd(net.device(), net.group(rate, decay), config, new Clipping.None());
    }

    private static void run(
            TestNet.Kind kind,
            int seed,
            double decay,
            Maker maker,
            AdaFisherConfig config,
            ReferenceOptimizer reference) {
        try (TestNet net = TestNet.of(kind, seed)) {
            Optimizer optimizer = maker.make(net);
            net.compile(optimizer, true);
            ReferenceFisher fisher = config == null ? null : new ReferenceFisher(config);
            Map<Parameter, double[]> p = net.parameters();
            Map<Parameter, double[]> start = new HashMap<>();
            p.forEach((parameter, values) -> start.put(parameter, values.clone()));
            for (int t = 1; t <= STEPS; t++) {
                boolean refreshed = net.step(t) == Optimizer.Cadence.REFRESH;
                if (fisher != null && refreshed) {
                    for (Capture capture : net.captures()) {
                        fisher.refresh(capture, net.input(capture), net.outputGradient(capture), net.count());
                    }
                }
                int step = t;
                p.forEach((parameter, values) -> reference.update(
                        parameter.path(),
                        values,
                        net.gradient(parameter),
                        fisher == null ? null : fisher.of(parameter),
                        step));
                compare(net, p, t, TOLERANCE);
            }
            start.forEach((parameter, values) ->
                    assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
        }
    }

    private static void compare(TestNet net, Map<Parameter, double[]> expected, int t, double tolerance) {
        expected.forEach((parameter, values) -> {
            double[] actual = parameter.tensor().doubles();
            double error = 0, size = 1e-3;
            for (int i = 0; i < values.length; i++) {
                error = Math.max(error, Math.abs(values[i] - actual[i]));
                size = Math.max(size, Math.abs(values[i]));
            }
            double worst = error / size;
            assertTrue(worst < tolerance, () -> parameter.path() + " is off by " + worst + " in step " + t);
        });
    }
}
