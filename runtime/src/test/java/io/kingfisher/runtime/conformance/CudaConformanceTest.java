package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.EmulatedGpu;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The suite and random programs on the CUDA device, with a GPU that this processor plays. */
class CudaConformanceTest {
    @Test
    void everyCase() {
        String only = System.getProperty("kingfisher.case", "");
        run(Conformance.cases().stream().filter(one -> one.name().contains(only)).toList());
    }

    private static void run(List<Case> cases) {
        List<String> failures = new ArrayList<>();
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            long start = System.nanoTime();
            gpu.prepare(device -> {
                for (Case one : cases) {
                    try (Recording recording = one.record(device)) {
                        device.compile(recording.graph).close();
                    } catch (KingfisherException e) {
                        // Said again when the case runs.
                    }
                }
            });
            System.out.println("prepared in " + (System.nanoTime() - start) / 1_000_000 + " ms");
            for (Case one : cases) {
                Result result = one.run(gpu.device());
                if (!result.passed()) {
                    failures.add(result.message());
                }
            }
            System.out.println(cases.size() + " cases in " + (System.nanoTime() - start) / 1_000_000 + " ms");
            assertEquals(0, gpu.device().live());
        }
        assertTrue(failures.isEmpty(), () -> failures.size() + " failures\n" + String.join("\n", failures));
    }
}
