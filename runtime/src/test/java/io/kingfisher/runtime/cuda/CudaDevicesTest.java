package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
        try (Device device = Device.open("auto")) {
            assertEquals("cpu", device.name());
            // Nobody expects a GPU where there is no driver.
            assertEquals(List.of(), device.notes());
            assertTrue(
                    device.report().stream()
                            .anyMatch(line -> line.startsWith("not cuda:0: ") && line.contains("libcuda.so.1")),
                    device.report().toString());
        }
    }

    @Test
    void aDriverThatCannotBeUsedIsNeverPassedOverInSilence(@TempDir Path folder) throws IOException {
        assumeNoDriver();
        Path broken = Files.writeString(folder.resolve("libcuda.so.1"), "not a library");
        System.setProperty("kingfisher.cuda.path", broken.toString());
        try {
            try (Device device = Device.best(new DeviceOptions(1))) {
                assertEquals("cpu", device.name());
                assertEquals(1, device.notes().size(), device.notes()::toString);
                String note = device.notes().get(0);
                assertTrue(note.startsWith("not cuda:0: ") && note.contains(broken.toString()), note);
                assertEquals(1, note.lines().count());
                assertTrue(device.report().contains(note));
            }
            assertThrows(KingfisherException.class, () -> Device.open("cuda:0"));
        } finally {
            System.clearProperty("kingfisher.cuda.path");
        }
    }

    @Test
    void withoutAGpuThereIsNoTf32() {
        assumeNoDriver();
        var options = new DeviceOptions(1).withTf32(true);
        String message = assertThrows(KingfisherException.class, () -> Device.open("auto", options))
                .getMessage();
        assertTrue(message.contains("cpu has no TF32") && message.contains("libcuda.so.1"), message);
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
