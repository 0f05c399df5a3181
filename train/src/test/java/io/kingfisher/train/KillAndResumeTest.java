package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.checkpoint.Checkpoint;
import io.kingfisher.train.checkpoint.SafeTensor;
import io.kingfisher.train.report.MetricsLog;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are killed without warning at random moments and resumed end with the bits of the run that was not. */
class KillAndResumeTest {
    private static final int KILLS = 3;

    @TempDir
    Path folder;

    @Test
    void anImageRunWithCurvature() throws Exception {
        check("""
                dataset: glyphs
                network: mlp-small
                optimizer: AdaFisher
                optimizer_kwargs: {TCov: 7, weight_decay: 5e-4}
                scheduler: CosineAnnealingLR
                aug: true
                max_epochs: 4
                mini_batch_size: 500
                seed: 11
                """, 101);
    }

    @Test
    void aTextRunWithDropout() throws Exception {
        Path text = folder.resolve("text.txt");
        var words = new StringBuilder();
        var random = new Random(5);
        for (int i = 0; i < 4000; i++) {
            words.append(List.of("king", "fisher", "dives", "deep", "\n").get(random.nextInt(5)))
                    .append(' ');
        }
        Files.writeString(text, words);
        check("""
                dataset: text
                data: %s
                network: gpt-mini
                model: {width: 16, depth: 2, heads: 2, dropout: 0.2}
                text: {tokenizer: char, context: 16}
                optimizer: AdaFisherW
                optimizer_kwargs: {TCov: 5, weight_decay: 0.1}
                max_epochs: 4
                mini_batch_size: 32
                clip: {norm: 1}
                seed: 3
                """.formatted(text), 202);
    }

    private void check(String yaml, long randomness) throws Exception {
        Path config = folder.resolve("run.yaml");
        Files.writeString(config, yaml);
        Path whole = folder.resolve("whole"), broken = folder.resolve("broken");
        long began = System.nanoTime();
        assertEquals(0, start(whole, config).waitFor());
        long milliseconds = (System.nanoTime() - began) / 1_000_000;
        var random = new Random(randomness);
        int kills = 0;
        while (true) {
            Process process = start(broken, config);
            boolean ended = kills >= KILLS
                    ? process.waitFor(120, TimeUnit.SECONDS)
                    : process.waitFor(milliseconds / 4 + random.nextLong(milliseconds / 2), TimeUnit.MILLISECONDS);
            if (ended) {
                assertEquals(0, process.exitValue(), "the resumed run failed; see " + broken.resolveSibling("log"));
                break;
            }
            process.destroyForcibly().waitFor();
            kills++;
        }
        assertTrue(kills > 0, "the run ended before it could be killed");
        assertSame(whole, broken);
    }

    private Process start(Path output, Path config) throws IOException {
        Path last = output.resolve("checkpoints").resolve("last.safetensors");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                path(),
                "io.kingfisher.train.Main",
                "train",
                config.toString(),
                "--output",
                output.toString()));
        if (Files.exists(last)) {
            command.addAll(List.of("--resume", last.toString()));
        } else {
            delete(output);
        }
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    /** Modules and classes alike on one class path. */
    private static String path() {
        return Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
                .filter(part -> part != null && !part.isEmpty())
                .reduce((a, b) -> a + File.pathSeparator + b)
                .orElseThrow();
    }

    private static void delete(Path tree) throws IOException {
        if (Files.exists(tree)) {
            try (Stream<Path> files = Files.walk(tree)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void assertSame(Path whole, Path broken) {
        for (String name : new String[] {"last", "best"}) {
            try (Arena arena = Arena.ofConfined()) {
                Path file = Path.of("checkpoints", name + ".safetensors");
                Checkpoint a = Checkpoint.load(whole.resolve(file), arena);
                Checkpoint b = Checkpoint.load(broken.resolve(file), arena);
                assertEquals(a.state().step(), b.state().step());
                assertEquals(a.tensors().size(), b.tensors().size());
                for (SafeTensor tensor : a.tensors()) {
                    assertEquals(
                            -1,
                            tensor.data().mismatch(b.tensor(tensor.name()).data()),
                            () -> name + ": " + tensor.name() + " differs");
                }
            }
        }
        assertEquals(metrics(whole), metrics(broken));
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
