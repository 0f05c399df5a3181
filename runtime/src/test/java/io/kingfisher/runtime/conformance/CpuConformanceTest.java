package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The suite and random programs on the CPU device. */
class CpuConformanceTest {
    @Test
    void everyCase() {
        List<String> failures = new ArrayList<>();
        try (Device device = Device.open("cpu", new DeviceOptions(2))) {
            Conformance.run(device, result -> {
                if (!result.passed()) {
                    failures.add(result.message());
                }
            });
            assertEquals(0, device.live());
        }
        assertTrue(failures.isEmpty(), () -> failures.size() + " failures\n" + String.join("\n", failures));
    }

    @Test
    void randomPrograms() {
        List<String> failures = new ArrayList<>();
        try (Device device = Device.open("cpu", new DeviceOptions(2))) {
            GraphFuzzer.run(device, 1000, 200, result -> {
                if (!result.passed()) {
                    failures.add(result.message());
                }
            });
        }
        assertTrue(failures.isEmpty(), () -> failures.size() + " failures\n" + String.join("\n", failures));
    }
}
