package io.kingfisher.optimizers;

import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every optimizer for 300 steps on three kinds of net and two seeds beside its reference. */
class TrajectoryTest {
    private static final int STEPS = 300;

    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV", "TRANSFORMER"})
    void sgd(TestNet.Kind kind) {
        for (int seed = 1; seed <= 2; seed++) {
            sgd(kind, seed, STEPS, 5e-4, new Sgd.Config(0.9, 0, true));
        }
    }

    @Test
    void sgdWithoutMomentumAndWithDampening() {
        sgd(TestNet.Kind.MLP, 3, 30, 0, new Sgd.Config(0, 0, false));
        sgd(TestNet.Kind.MLP, 3, 30, 0, new Sgd.Config(0.8, 0.3, false));
    }

    private static void sgd(TestNet.Kind kind, int seed, int steps, double decay, Sgd.Config config) {
        SideBySide.run(
                kind,
                seed,
                steps,
                net -> new Sgd(net.device(), net.group(0.05, decay), config, new Clipping.None()),
                null,
                ReferenceOptimizer.sgd(0.05, config.momentum(), config.dampening(), config.nesterov(), decay));
    }

    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV", "TRANSFORMER"})
    void adam(TestNet.Kind kind) {
        for (int seed = 1; seed <= 2; seed++) {
            adam(kind, seed, 1e-2, Adam.Config.adam());
            adam(kind, seed, 1e-1, Adam.Config.adamW());
        }
    }

    private static void adam(TestNet.Kind kind, int seed, double decay, Adam.Config config) {
        SideBySide.run(
                kind,
                seed,
                STEPS,
                net -> new Adam(net.device(), net.group(3e-3, decay), config, new Clipping.None()),
                null,
                ReferenceOptimizer.adam(3e-3, .9, .999, 1e-8, decay, config.decoupled()));
    }

    /** The first seed with weight decay in the gradient, the second apart from it. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV", "TRANSFORMER"})
    void adaFisher(TestNet.Kind kind) {
        for (Mode mode : Mode.values()) {
            for (int seed = 1; seed <= 2; seed++) {
                SideBySide.adaFisher(kind, seed, STEPS, mode, 0.5, seed == 2);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"DEPTHWISE", "SHARED", "TIED"})
    void adaFisherWhereWeightsMeetSeveralInputs(TestNet.Kind kind) {
        for (Mode mode : Mode.values()) {
            SideBySide.adaFisher(kind, 4, 30, mode, 1, true);
        }
    }

    @Test
    void adaFisherWithAnyPower() {
        SideBySide.adaFisher(TestNet.Kind.CONV, 5, 30, Mode.RELATIVE, 0.7, false);
    }
}
