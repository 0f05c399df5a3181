package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * An optimizer beside a straight double-precision reference, which gets the engine's gradients and captures and keeps
 * parameters and state of its own.
 */
final class SideBySide {
    private static final double TOLERANCE = 1e-4;

    private SideBySide() {}

    /** Runs both from one start and compares all parameters after every step. */
    static void run(
            TestNet.Kind kind,
            int seed,
            int steps,
            Function<TestNet, Optimizer> maker,
            AdaFisherConfig config,
            ReferenceOptimizer reference) {
        try (TestNet net = TestNet.of(kind, seed)) {
            net.compile(maker.apply(net), true);
            ReferenceFisher fisher = config == null ? null : new ReferenceFisher(config);
            Map<Parameter, double[]> p = net.parameters();
            Map<Parameter, double[]> start = new HashMap<>();
            p.forEach((parameter, values) -> start.put(parameter, values.clone()));
            for (int t = 1; t <= steps; t++) {
                boolean refreshed = net.step() == Optimizer.Cadence.REFRESH;
                if (fisher != null && refreshed) {
                    net.uses().values().forEach(uses -> fisher.refresh(uses, net.count()));
                }
                int step = t;
                p.forEach((parameter, values) -> reference.update(
                        parameter.path(),
                        values,
                        net.gradient(parameter),
                        fisher == null ? null : fisher.of(parameter),
                        step));
                compare(p, t);
            }
            start.forEach((parameter, values) ->
                    assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
        }
    }

    /** AdaFisher with a short interval between refreshes, so that many of them count. */
    static void adaFisher(
            TestNet.Kind kind, int seed, int steps, AdaFisherConfig.Mode mode, double power, boolean decoupled) {
        double rate = mode == AdaFisherConfig.Mode.RELATIVE ? 0.1 : 1e-4, decay = decoupled ? 0.1 : 5e-4;
        AdaFisherConfig plain = AdaFisherConfig.of(mode);
        AdaFisherConfig config = new AdaFisherConfig(
                mode,
                plain.beta(),
                plain.lambda(),
                plain.gamma(),
                10,
                decoupled,
                plain.unmatched(),
                plain.tau(),
                power,
                plain.cap(),
                plain.decay());
        run(
                kind,
                seed,
                steps,
                net -> new AdaFisher(net.device(), net.group(rate, decay), config, new Clipping.None()),
                config,
                ReferenceOptimizer.adaFisher(rate, plain.beta(), decay, decoupled));
    }

    /** Checks parameters against what they should be after step t. */
    static void compare(Map<Parameter, double[]> expected, int t) {
        expected.forEach((parameter, values) -> {
            double[] actual = parameter.tensor().doubles();
            double error = 0, size = 1e-3;
            for (int i = 0; i < values.length; i++) {
                // Not Math.max: a NaN must fail.
                error = Math.abs(values[i] - actual[i]) <= error ? error : Math.abs(values[i] - actual[i]);
                size = Math.max(size, Math.abs(values[i]));
            }
            double worst = error / size;
            assertTrue(worst < TOLERANCE, () -> parameter.path() + " is off by " + worst + " in step " + t);
        });
    }
}
