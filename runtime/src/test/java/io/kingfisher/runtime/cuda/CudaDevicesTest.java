package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a machine without a GPU answers. */
class CudaDevicesTest {
    private static void assumeNoDriver() {
        boolean driver = Libraries.cudaReport().stream()
                .anyMatch(
                        report -> report.name().equals("cuda") && report.found().isPresent());
        Assumptions.assumeFalse(driver, "this machine has NVIDIA's driver");
    }

    @Test
    void withoutDriverOneSentenceSaysWhatToDo() {
        assumeNoDriver();
        for (int i = 0; i < 2; i++) {
            String message = assertThrows(KingfisherException.class, () -> Device.open("cuda:0"))
                    .getMessage();
            assertTrue(message.startsWith("The device cuda:0 cannot be opened: "), message);
            assertTrue(message.contains("libcuda.so.1") && message.contains("driver"), message);
            assertTrue(message.endsWith(".") && !message.endsWith(".."), message);
        }
    }

    @Test
    void theBestDeviceIsTheProcessorAndSaysWhy() {
        assumeNoDriver();
        try (Device device = Device.best()) {
            assertEquals("cpu", device.name());
            assertTrue(
                    device.report().stream()
                            .anyMatch(line -> line.startsWith("not cuda:0: ") && line.contains("libcuda.so.1")),
                    device.report().toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuda", "cuda:", "cuda:x", "cuda:-1", "CUDA:0", "gpu"})
    void otherNamesAreNone(String name) {
        assertFalse(CudaDevices.isName(name));
        String message =
                assertThrows(KingfisherException.class, () -> Device.open(name)).getMessage();
        assertTrue(message.contains(name) && message.contains("cuda:0"), message);
    }
}
