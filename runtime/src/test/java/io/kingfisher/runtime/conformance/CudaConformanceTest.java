package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.conformance.Case.Observation;
import io.kingfisher.runtime.cuda.EmulatedGpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The suite and random programs on the CUDA device, with a GPU that this processor plays: values and gradients in F32 and a
 * few random programs, or with {@code KINGFISHER_CONFORMANCE=full} everything.
 */
class CudaConformanceTest {
    private static final boolean FULL = "full".equals(System.getenv("KINGFISHER_CONFORMANCE"));

    @Test
    void suite() {
        String only = System.getProperty("kingfisher.case", "");
        run(Conformance.cases().stream()
                .filter(one -> one.name().contains(only))
                .filter(one ->
                        FULL || !one.name().contains("F64") && !one.name().contains("second derivative"))
                .toList());
    }

    @Test
    void randomPrograms() {
        run(programs(1000, FULL ? 100 : 10).toList());
    }

    private static Stream<Case> programs(int from, int count) {
        return IntStream.range(from, from + count)
                .boxed()
                .flatMap(seed -> Stream.of(DType.F32, DType.F64).map(dtype -> GraphFuzzer.program(dtype, seed)));
    }

    private static void run(List<Case> cases) {
        List<String> failures = new ArrayList<>();
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            prepare(gpu, cases);
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

    private static void prepare(EmulatedGpu gpu, List<Case> cases) {
        gpu.prepare(device -> {
            for (Case one : cases) {
                try (Recording recording = one.record(device)) {
                    device.compile(recording.graph).close();
                } catch (KingfisherException e) {
                    // Said again when the case runs.
                }
            }
        });
    }

    /** Three replays of graphs against three runs step by step, bit for bit, and one device against another. */
    @Test
    void graphsDoWhatTheirStepsDo() {
        List<Case> cases = Stream.concat(
                        NetworkCases.cases().stream(), Stream.concat(ProgramCases.cases().stream(), programs(2000, 4)))
                .toList();
        DeviceOptions plain = new DeviceOptions(1).withExecution(DeviceOptions.Execution.PLAIN);
        try (EmulatedGpu graphs = EmulatedGpu.open();
                EmulatedGpu steps = EmulatedGpu.open(plain)) {
            prepare(graphs, cases);
            for (Case one : cases) {
                try (Recording a = one.record(graphs.device());
                        Recording b = one.record(steps.device())) {
                    Map<String, Observation> captured = a.run(), run = b.run();
                    captured.forEach((name, seen) -> assertTrue(
                            java.util.Arrays.equals(seen.values(), run.get(name).values()),
                            () -> one.name() + ": " + name + " differs"));
                }
            }
        }
    }
}
