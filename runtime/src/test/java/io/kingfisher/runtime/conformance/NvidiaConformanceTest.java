package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.cuda.EmulatedGpu;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Products, convolutions, attention and factorizations of the suite, down to the parameters of NVIDIA's libraries. */
class NvidiaConformanceTest {
    private static final List<String> LIBRARIES = List.of(
            "matmul of",
            "linear layer",
            "gram",
            "product in",
            "conv ",
            "attention",
            "Cholesky",
            "eigen",
            "triangular",
            "QR",
            "SVD");

    @Test
    void whatLibrariesCompute() {
        List<Case> cases = Conformance.cases().stream()
                .filter(one -> LIBRARIES.stream().anyMatch(one.name()::startsWith))
                .filter(one ->
                        !one.name().contains("second derivative") && !one.name().contains("F64"))
                .toList();
        assertTrue(cases.size() > 100, () -> cases.size() + " cases");
        List<String> failures = new ArrayList<>();
        try (EmulatedGpu gpu = EmulatedGpu.openWithNvidia()) {
            for (Case one : cases) {
                Result result = one.run(gpu.device());
                if (!result.passed()) {
                    failures.add(result.message());
                }
            }
            assertEquals(0, gpu.device().live());
        }
        assertTrue(failures.isEmpty(), () -> failures.size() + " failures\n" + String.join("\n", failures));
    }
}
