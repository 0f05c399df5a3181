package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.ProgramStep;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.workload.Roofline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The times, work and floors of a step's ops. */
class RooflineTest {
    @TempDir
    Path folder;

    /** x [3 x 4] times w [4 x 5], then the exponential: 2 * 3 * 4 * 5 operations in the first. */
    @Test
    void countsByHand() {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Graph graph = new Graph();
            Value x = graph.input("x", DType.F32, 3, 4), w = graph.input("w", DType.F32, 4, 5);
            Value y = graph.input("y", DType.F32, 7, 11);
            graph.output("product", x.matmul(w));
            graph.output("exp", y.exp());
            try (Program program = device.compile(graph)) {
                List<ProgramStep> steps = program.steps();
                ProgramStep product = named(steps, "MatMul"), exp = named(steps, "Map");
                assertEquals(2.0 * 3 * 4 * 5, product.flop());
                assertEquals(4.0 * (3 * 4 + 4 * 5 + 3 * 5), product.bytes());
                assertEquals(0, exp.flop());
                assertEquals(4.0 * 2 * 7 * 11, exp.bytes());
                assertEquals(
                        program.nativeCalls(),
                        steps.stream().mapToInt(ProgramStep::nativeCalls).sum());
                steps.forEach(step -> step.run().run());
                assertEquals(1, program.output("exp").get(0));

                // At 100 operations and 1000 bytes a second: 1.2 s against 0.188 s, and 0.616 s.
                Roofline roofline = Roofline.of(program, 3, 100, 1000);
                assertEquals(steps.size(), roofline.ops().size());
                assertEquals(1.2e6, of(roofline, product).floorMicros(), 1e-6);
                assertEquals(0.616e6, of(roofline, exp).floorMicros(), 1e-6);
                assertEquals(
                        roofline.micros() - roofline.floorMicros(),
                        roofline.ops().stream()
                                .mapToDouble(Roofline.Line::gapMicros)
                                .sum(),
                        1e-6);
                assertTrue(of(roofline, exp).gapMicros() > of(roofline, product).gapMicros());
                assertEquals("Map", roofline.ops().get(0).step().what().substring(0, 3));
            }
        }
    }

    /** A 3x3 window over 2 channels, padded by 1, stride 2: 4 x 3 places for 7 x 6 pixels. */
    @Test
    void countsAConvolutionOnceThoughItIsReordered() {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Graph graph = new Graph();
            Value x = graph.input("x", DType.F32, 2, 2, 7, 6), w = graph.input("w", DType.F32, 16, 2, 3, 3);
            graph.output(
                    "y",
                    graph.add(new Conv2d(new Convolution(2, 2, 1, 1, 1, 1, 1)), x, w)
                            .output(0));
            try (Program program = device.compile(graph)) {
                double flop =
                        program.steps().stream().mapToDouble(ProgramStep::flop).sum();
                assertEquals(2.0 * (2 * 16 * 4 * 3) * (2 * 3 * 3), flop);
            }
        }
    }

    private static ProgramStep named(List<ProgramStep> steps, String op) {
        return steps.stream()
                .filter(step -> step.what().startsWith(op))
                .findFirst()
                .orElseThrow();
    }

    private static Roofline.Line of(Roofline roofline, ProgramStep step) {
        return roofline.ops().stream()
                .filter(line -> line.step().what().equals(step.what()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void otherDevicesSayThatTheyCannot() {
        try (Device device = Device.open("reference")) {
            Graph graph = new Graph();
            graph.output("y", graph.input("x", DType.F32, 2).exp());
            try (Program program = device.compile(graph)) {
                var refused = assertThrows(KingfisherException.class, program::steps);
                assertTrue(refused.getMessage().contains("open the device cpu"), refused.getMessage());
            }
        }
    }

    /** mlp-small on [5 x 30], 9 hidden units, 4 classes: see {@link BenchCommandTest#countsTheWorkOfAStep}. */
    @Test
    void isWrittenByTheCommand() throws IOException {
        Path file = folder.resolve("roofline.json");
        CommandLineRun run = CommandLineRun.of(
                "bench",
                "--roofline",
                "--refresh",
                "--small",
                "--threads",
                "1",
                "--steps",
                "3",
                "--model",
                "mlp-small",
                "--optimizers",
                "SGD,AdaFisher",
                "--json",
                file.toString());
        assertEquals(0, run.code(), run.text());
        assertTrue(run.text().contains("a step with a refresh of mlp-small with AdaFisher in fp32"), run.text());
        assertTrue(run.text().contains("fc1"), run.text());
        List<?> results = (List<?>) Json.parseObject(Files.readString(file)).get("results");
        assertEquals(2, results.size());
        double first = 2.0 * 5 * 30 * 9, second = 2.0 * 5 * 9 * 4;
        for (Object result : results) {
            Map<String, Object> record = Json.object(result);
            assertEquals((2 * first + 3 * second) / 1e9, Json.real(record.get("gflop")), 1e-15);
            double last = Double.POSITIVE_INFINITY;
            for (Object op : (List<?>) record.get("ops")) {
                double gap = Json.real(Json.object(op).get("gap_us"));
                assertTrue(gap <= last, "sorted by gap");
                last = gap;
            }
        }
    }
}
