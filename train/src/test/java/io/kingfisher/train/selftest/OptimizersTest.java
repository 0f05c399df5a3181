package io.kingfisher.train.selftest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import io.kingfisher.train.workload.TrainingStep;
import io.kingfisher.train.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the checks of replays go through. */
class OptimizersTest {
    @Test
    void everyRegisteredOptimizerIsChecked() {
        List<String> wanted = Methods.all().stream()
                .map(Method::name)
                .map(name -> "3 replays are 3 plain steps: " + name)
                .toList();
        List<String> checks = ReplayChecks.all().stream().map(Check::name).toList();
        assertTrue(checks.containsAll(wanted), checks::toString);
    }

    /** Each is made as on a GPU, where a LeNet's steps are compared: three steps move every parameter and leave all finite. */
    @Test
    void everyOneOfThemTrains() {
        List<String> still = new ArrayList<>();
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Optimizers.all().forEach((name, maker) -> {
                try (TrainingStep step = new TrainingStep(
                        device, Workload.of("mlp-small", Workload.small()), maker, Precision.FP32, ReplayChecks.SEED)) {
                    var before = step.state();
                    for (int i = 0; i < 3; i++) {
                        step.step();
                    }
                    var after = step.state();
                    assertTrue(
                            ReplayChecks.difference(after, after).isEmpty(), name + " has numbers that are not finite");
                    for (var parameter : step.model().parameters()) {
                        if (ReplayChecks.difference(
                                        java.util.Map.of("", before.get(parameter.path())),
                                        java.util.Map.of("", after.get(parameter.path())))
                                .isEmpty()) {
                            still.add(name + " leaves " + parameter.path());
                        }
                    }
                }
            });
        }
        assertEquals(List.of(), still);
    }
}
