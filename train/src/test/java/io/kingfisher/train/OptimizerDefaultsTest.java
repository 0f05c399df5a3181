package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.layers.Linear;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.optimizers.Kfac;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.matrixfree.AdaptiveKfac;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.methods.Methods;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A configuration that says nothing means the optimizer's own defaults. */
class OptimizerDefaultsTest {
    @ParameterizedTest
    @EnumSource
    void adaFisher(Mode mode) {
        for (String name : List.of("AdaFisher", "AdaFisherW")) {
            RunConfig config = Methods.reader()
                    .parse(
                            "{dataset: a, network: b, optimizer: " + name + ", mode: " + mode.key() + "}",
                            "a.yaml",
                            List.of());
            try (Device device = Device.open("cpu");
                    Linear layer = new Linear(2, 2)) {
                var optimizer = (AdaFisher) Optimizers.create(device, layer, config);
                AdaFisherConfig usual = AdaFisherConfig.of(mode);
                assertEquals(name.endsWith("W") ? usual.withDecoupledDecay() : usual, optimizer.config());
            }
        }
    }

    /** The modes of K-FAC are two optimizers. */
    @Test
    void kfac() {
        for (boolean adaptive : new boolean[] {false, true}) {
            String mode = adaptive ? "adaptive" : "fixed";
            RunConfig config = Methods.reader()
                    .parse(
                            "{dataset: a, network: b, optimizer: KFAC, optimizer_kwargs: {mode: " + mode + "}}",
                            "a.yaml",
                            List.of());
            assertEquals(adaptive ? 1 : 0.03, config.optimizer().learningRate());
            try (Device device = Device.open("cpu");
                    Linear layer = new Linear(2, 2);
                    Optimizer optimizer = Optimizers.create(device, layer, config)) {
                assertEquals(adaptive ? AdaptiveKfac.class : Kfac.class, optimizer.getClass());
            }
        }
    }
}
