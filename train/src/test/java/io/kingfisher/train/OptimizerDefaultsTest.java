package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.layers.Linear;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.methods.Methods;
import java.util.List;
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
}
