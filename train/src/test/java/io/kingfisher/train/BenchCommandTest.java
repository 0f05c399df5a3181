package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep;
import io.kingfisher.train.workload.Work;
import io.kingfisher.train.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The figures that the bench command writes, on small models. */
class BenchCommandTest {
    private static final Set<String> KEYS = Set.of(
            "framework",
            "mode",
            "model",
            "batch",
            "optimizer",
            "precision",
            "steps",
            "step_ms_p50",
            "step_ms_p99",
            "step_ms_streamed",
            "host_us",
            "native_calls",
            "graph_nodes",
            "tflop_s",
            "gb_s",
            "share_of_gemm",
            "share_of_copy");

    @TempDir
    Path folder;

    @Test
    void writesAllFigures() throws IOException {
        Path file = folder.resolve("a").resolve("bench.json");
        CommandLineRun run = CommandLineRun.of(
                "bench",
                "--small",
                "--threads",
                "1",
                "--steps",
                "4",
                "--precision",
                "fp32,bf16",
                "--json",
                file.toString());
        assertEquals(0, run.code(), run.text());
        Map<String, Object> report = Json.parseObject(Files.readString(file));
        assertTrue(Json.object(report.get("machine")).containsKey("cpu"));
        assertTrue((double) Json.object(report.get("ceilings")).get("copy_gb_s") > 0);
        assertTrue((double) Json.object(report.get("ceilings")).get("gemm_tflop_s_bf16") > 0);
        assertTrue((double) Json.object(report.get("cold_start")).get("seconds") > 0);
        List<?> results = (List<?>) report.get("results");
        // Five models in two precisions and the update alone, each with three optimizers.
        assertEquals(5 * 2 * 3 + 3, results.size());
        for (Object result : results) {
            Map<String, Object> record = Json.object(result);
            assertTrue(record.keySet().containsAll(KEYS), record.toString());
            assertTrue(Json.real(record.get("step_ms_p50")) > 0, record.toString());
            assertTrue(Json.real(record.get("step_ms_p99")) >= Json.real(record.get("step_ms_p50")), record.toString());
        }
    }

    /** A row for SGD and each method, whose mean weighs the cadences of its period. */
    @Test
    void tellsWhatMethodsCost() throws IOException {
        Path file = folder.resolve("costs.json");
        CommandLineRun run = CommandLineRun.of(
                "bench",
                "--costs",
                "--small",
                "--threads",
                "1",
                "--steps",
                "2",
                "--model",
                "mlp-small",
                "--optimizers",
                "kfac:TCov=2:TInv=6,Eva",
                "--json",
                file.toString());
        assertEquals(0, run.code(), run.text());
        assertTrue(run.text().contains("| mlp-small | kfac:TCov=2:TInv=6 |"), run.text());
        List<?> results = (List<?>) Json.parseObject(Files.readString(file)).get("results");
        assertEquals(3, results.size());
        assertEquals(1, Json.real(Json.object(results.get(0)).get("mean_over_sgd")));
        Map<String, Object> kfac = Json.object(results.get(1));
        double mean = (3 * Json.real(kfac.get("step_ms"))
                        + 2 * Json.real(kfac.get("refresh_ms"))
                        + Json.real(kfac.get("solve_ms")))
                / 6;
        assertEquals(mean, Json.real(kfac.get("mean_ms")), 1e-9 * mean);
    }

    @Test
    void refusesMethodsAndSettingsThatThereAreNot() {
        for (String bad : List.of("Evas", "Eva:dampin=1", "Eva:damping", "Eva:damping=much")) {
            CommandLineRun run = CommandLineRun.of("bench", "--small", "--model", "mlp-small", "--optimizers", bad);
            assertEquals(1, run.code(), bad);
            assertTrue(run.text().contains(bad.equals("Evas") ? "choose from SGD" : "Eva"), run.text());
        }
    }

    /** By hand: two layers, forward and the weights' gradients, and one gradient of the hidden layer. */
    @Test
    void countsTheWorkOfAStep() {
        Workload mlp = Workload.of("mlp-small", Workload.small());
        try (Device device = Device.open("cpu", new DeviceOptions(1));
                TrainingStep step = new TrainingStep(device, mlp, Method.SGD, Precision.FP32, 1)) {
            double first = 2.0 * 5 * 30 * 9, second = 2.0 * 5 * 9 * 4;
            Work work = step.work();
            assertEquals(2 * first + 3 * second, work.flop());
        }
    }

    @Test
    void refusesWhatThereIsNot() {
        assertMessage("There is no model 'vgg'", "--models", "vgg");
        assertMessage("There is no optimizer 'Nesterov'", "--optimizers", "Nesterov");
        assertMessage("There is no precision 'fp8'", "--precision", "fp8");
        assertMessage("has no TF32", "--precision", "tf32", "--small");
    }

    private static void assertMessage(String text, String... more) {
        String[] args = new String[more.length + 1];
        args[0] = "bench";
        System.arraycopy(more, 0, args, 1, more.length);
        CommandLineRun run = CommandLineRun.of(args);
        assertEquals(1, run.code());
        assertTrue(run.text().contains(text), run.text());
        assertEquals(1, run.text().strip().lines().count(), run.text());
    }
}
