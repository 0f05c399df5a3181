package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.EmulatedGpu;
import io.kingfisher.train.checkpoint.Checkpoint;
import io.kingfisher.train.checkpoint.SafeTensor;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.Setting;
import io.kingfisher.train.methods.Methods;
import io.kingfisher.train.report.MetricsLog;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on the CUDA device, played by the processor: the host is ahead of it, and nothing comes out otherwise for that. */
class CudaTrainerTest {
    private static final int STEPS = 6, TESTS = 3;

    private static final String YAML = """
            dataset: glyphs
            train_size: 24
            test_size: 10
            network: mlp-small
            model: {hidden: [6]}
            optimizer: AdaFisher
            optimizer_kwargs: {TCov: 3}
            scheduler: CosineAnnealingLR
            max_epochs: 2
            mini_batch_size: 4
            seed: 9
            """;

    @TempDir
    Path folder;

    private RunConfig config(String... sets) throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), YAML);
        List<Setting> settings = new ArrayList<>();
        for (String set : sets) {
            settings.add(Setting.set(set));
        }
        return Methods.reader().load(file, settings);
    }

    private Path out(String name) {
        return folder.resolve(name);
    }

    private void train(EmulatedGpu gpu, Path out, Optional<Path> resume, String... sets) throws IOException {
        var start = new Trainer.Start(Optional.empty(), resume);
        new Trainer(config(sets), RunFolder.of(out, null), start, _ -> gpu.device()).run();
    }

    private static Path last(Path out) {
        return out.resolve("checkpoints/last.safetensors");
    }

    @Test
    void theHostIsAheadAndNothingComesOutOtherwise() throws IOException {
        List<String> order;
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            train(gpu, out("late"), Optional.empty());
            order = gpu.order();
        }
        checkOrder(order);
        try (EmulatedGpu gpu = EmulatedGpu.openEarly()) {
            train(gpu, out("early"), Optional.empty());
        }
        assertSame(out("early"), out("late"));

        // A run that stops within an epoch and goes on.
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            train(gpu, out("parts"), Optional.empty(), "max_steps=4");
        }
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            train(gpu, out("parts"), Optional.of(last(out("parts"))));
        }
        assertSameTensors(out("early"), out("parts"));

        // Each loss is that of its own step: the processor, which is never behind, has the same ones.
        new Trainer(
                        config("device=cpu"),
                        RunFolder.of(out("cpu"), null),
                        new Trainer.Start(Optional.empty(), Optional.empty()),
                        asked -> Experiment.device(asked, false))
                .run();
        List<Map<String, Object>> expected = metrics(out("cpu")), actual = metrics(out("late"));
        assertEquals(expected.size(), actual.size());
        assertEquals(2 * STEPS + 2, actual.size());
        for (int i = 0; i < actual.size(); i++) {
            for (String key : expected.get(i).keySet()) {
                Object want = expected.get(i).get(key), is = actual.get(i).get(key);
                if (want instanceof Double number && !key.equals("lr")) {
                    assertEquals(number, (double) is, 1e-3, key + " of record " + i);
                } else {
                    assertEquals(want, is, key + " of record " + i);
                }
            }
        }
    }

    /** Two steps are given to the device before the host waits for one; it waits for all of it only between phases. */
    private static void checkOrder(List<String> order) {
        int first = 1;
        for (int phase : new int[] {STEPS, TESTS, STEPS, TESTS}) {
            int end = first + phase - 1;
            for (int n = first; n <= end; n++) {
                int waited = order.indexOf("wait " + n);
                assertTrue(waited >= 0, "step " + n + " is waited for: " + order);
                int ahead = Math.min(n + 2, end);
                assertTrue(
                        order.indexOf("launch " + ahead) < waited, ahead + " is launched before " + n + ": " + order);
                if (end < 2 * (STEPS + TESTS)) {
                    assertTrue(waited < order.indexOf("launch " + (end + 1)), "nothing is left over: " + order);
                }
            }
            assertFalse(
                    order.subList(order.indexOf("launch " + first), order.indexOf("launch " + end))
                            .contains("idle"),
                    order::toString);
            first = end + 1;
        }
        assertFalse(order.contains("launch " + first));
    }

    /** The step that is named is that of the loss, though others were on their way; nothing of it is saved. */
    @Test
    void aLossThatIsNotANumberIsFoundInItsOwnStep() throws IOException {
        String[] sets = {"optimizer=SGD", "init_lr=1e30", "optimizer_kwargs={}"};
        String onCpu = assertThrows(
                        KingfisherException.class,
                        () -> new Trainer(
                                        config(sets),
                                        RunFolder.of(out("cpu"), null),
                                        new Trainer.Start(Optional.empty(), Optional.empty()),
                                        asked -> Experiment.device(asked, false))
                                .run())
                .getMessage();
        try (EmulatedGpu gpu = EmulatedGpu.open()) {
            String message = assertThrows(
                            KingfisherException.class, () -> train(gpu, out("gpu"), Optional.empty(), sets))
                    .getMessage();
            // What overflows first depends on how a device adds, the step does not.
            Pattern step = Pattern.compile("The loss became (NaN|Infinity) in step \\d+;");
            Matcher expected = step.matcher(onCpu), actual = step.matcher(message);
            assertTrue(expected.find() && actual.find(), message);
            assertEquals(
                    expected.group().replace("Infinity", "NaN"), actual.group().replace("Infinity", "NaN"));
        }
        assertFalse(Files.exists(last(out("gpu"))));
        assertEquals(metrics(out("cpu")).size(), metrics(out("gpu")).size());
    }

    private static void assertSame(Path a, Path b) {
        assertSameTensors(a, b);
        assertEquals(metrics(a), metrics(b));
    }

    private static void assertSameTensors(Path a, Path b) {
        try (Arena arena = Arena.ofConfined()) {
            Checkpoint expected = Checkpoint.load(last(a), arena), actual = Checkpoint.load(last(b), arena);
            assertEquals(expected.state().step(), actual.state().step());
            assertEquals(expected.tensors().size(), actual.tensors().size());
            for (SafeTensor tensor : expected.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(actual.tensor(tensor.name()).data()), tensor.name());
            }
        }
    }

    /** The records without what the clock says. */
    private static List<Map<String, Object>> metrics(Path run) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (Map<String, Object> record : MetricsLog.read(run.resolve("metrics.jsonl"))) {
            var copy = new LinkedHashMap<>(record);
            copy.keySet().removeAll(List.of("step_ms_p50", "step_ms_p99", "seconds"));
            records.add(copy);
        }
        return records;
    }
}
