package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.report.MetricsLog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The train command as a user types it. */
class TrainCommandTest {
    private static final String SMALL = """
            dataset: glyphs
            network: mlp-small
            optimizer: AdaFisher
            max_epochs: 2
            mini_batch_size: 400
            seed: 5
            """;

    @TempDir
    Path folder;

    private record Outcome(int code, String text) {}

    private Outcome run(String... args) {
        PrintStream out = System.out, err = System.err;
        var bytes = new ByteArrayOutputStream();
        var both = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        System.setOut(both);
        System.setErr(both);
        try {
            return new Outcome(Main.run(args), bytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private Path config(String text) throws IOException {
        Path file = folder.resolve("config.yaml");
        Files.writeString(file, text);
        return file;
    }

    private Outcome train(String yaml, String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of("train", config(yaml).toString()));
        args.addAll(Arrays.asList(more));
        if (!args.contains("--output")) {
            args.addAll(List.of("--output", folder.resolve("out").toString()));
        }
        return run(args.toArray(String[]::new));
    }

    @Test
    void leavesMetricsPlotsSummaryAndCheckpoints() throws IOException {
        Path out = folder.resolve("out");
        Outcome outcome = train(SMALL, "--save-freq", "1");
        assertEquals(0, outcome.code(), outcome.text());
        for (String name : List.of(
                "metrics.jsonl",
                "summary.json",
                "loss.png",
                "loss.svg",
                "accuracy.png",
                "accuracy.svg",
                "checkpoints/last.safetensors",
                "checkpoints/best.safetensors",
                "checkpoints/epoch-0001.safetensors",
                "checkpoints/epoch-0002.safetensors")) {
            assertTrue(Files.size(out.resolve(name)) > 0, name);
        }
        List<Map<String, Object>> epochs = MetricsLog.read(out.resolve("metrics.jsonl")).stream()
                .filter(record -> "epoch".equals(record.get("kind")))
                .toList();
        assertEquals(2, epochs.size());
        assertTrue((double) epochs.get(1).get("test_top1") > 0.5, outcome.text());
    }

    /** The scale of the loss is part of the state: a run that stopped and went on ends with the bits of one that did not. */
    @Test
    void halfPrecisionGoesOnWhereItStopped() throws IOException {
        Path whole = folder.resolve("whole"), broken = folder.resolve("broken");
        String half = SMALL + "precision: fp16\n";
        Outcome outcome = train(half, "--max-steps", "24", "--output", whole.toString());
        assertEquals(0, outcome.code(), outcome.text());
        assertTrue(outcome.text().contains("products in fp16"), outcome.text());
        assertEquals(
                0,
                train(half, "--max-steps", "15", "--output", broken.toString()).code());
        Path last = Path.of("checkpoints", "last.safetensors");
        outcome = train(
                half,
                "--max-steps",
                "24",
                "--output",
                broken.toString(),
                "--resume",
                broken.resolve(last).toString());
        assertEquals(0, outcome.code(), outcome.text());
        assertEquals(-1, Files.mismatch(weights(whole.resolve(last)), weights(broken.resolve(last))));
    }

    @Test
    void tf32NeedsAGpu() throws IOException {
        Outcome outcome = train(SMALL, "--precision", "tf32");
        assertEquals(1, outcome.code());
        assertTrue(outcome.text().contains("--precision") && outcome.text().contains("has no TF32"), outcome.text());
    }

    @Test
    void theSameSeedIsTheSameRun() throws IOException {
        Path a = folder.resolve("a"), b = folder.resolve("b"), c = folder.resolve("c");
        assertEquals(
                0, train(SMALL, "--max-steps", "60", "--output", a.toString()).code());
        assertEquals(
                0, train(SMALL, "--max-steps", "60", "--output", b.toString()).code());
        assertEquals(
                0,
                train(SMALL, "--max-steps", "60", "--seed", "6", "--output", c.toString())
                        .code());
        Path last = Path.of("checkpoints", "last.safetensors");
        assertEquals(-1, Files.mismatch(weights(a.resolve(last)), weights(b.resolve(last))));
        assertTrue(Files.mismatch(weights(a.resolve(last)), weights(c.resolve(last))) >= 0);
    }

    /** The tensors' bytes of a checkpoint, without the header, which also tells how long the run took. */
    private Path weights(Path checkpoint) throws IOException {
        byte[] all = Files.readAllBytes(checkpoint);
        long header = java.nio.ByteBuffer.wrap(all)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .getLong(0);
        Path raw = Files.createTempFile(folder, "weights", ".bin");
        Files.write(raw, Arrays.copyOfRange(all, (int) (8 + header), all.length));
        return raw;
    }

    @Test
    void initialWeightsComeFromAFile() throws IOException {
        Path a = folder.resolve("a"), b = folder.resolve("b");
        assertEquals(0, train(SMALL, "--output", a.toString()).code());
        Path weights = a.resolve("checkpoints/last.safetensors");
        Outcome outcome = train(
                SMALL,
                "--init",
                weights.toString(),
                "--max-steps",
                "1",
                "--set",
                "init_lr=1e-12",
                "--output",
                b.toString());
        assertEquals(0, outcome.code(), outcome.text());
        double before = last(a), after = last(b);
        assertArrayEquals(new double[] {before}, new double[] {after}, 0.01);
    }

    private static double last(Path run) {
        return (double) MetricsLog.read(run.resolve("metrics.jsonl")).getLast().get("test_loss");
    }

    @Test
    void aRunEitherStartsFromWeightsOrGoesOn() throws IOException {
        Outcome outcome = train(SMALL, "--init", "weights.safetensors", "--resume", "last.safetensors");
        assertEquals(1, outcome.code());
        assertTrue(outcome.text().contains("give one of them"), outcome.text());
        assertTrue(Files.notExists(folder.resolve("out")), "nothing is written");
    }

    @Test
    void aRunIsNeverOverwritten() throws IOException {
        assertEquals(0, train(SMALL, "--max-steps", "1").code());
        Outcome again = train(SMALL, "--max-steps", "1");
        assertEquals(1, again.code());
        assertTrue(again.text().contains("another run's metrics are here already"), again.text());
    }

    @Test
    void aDamagedCheckpointIsRefusedByNameAndLeftAlone() throws IOException {
        assertEquals(0, train(SMALL, "--save-freq", "1").code());
        Path last = folder.resolve("out/checkpoints/last.safetensors");
        byte[] bytes = Files.readAllBytes(last);
        bytes[bytes.length - 100] ^= 1;
        Files.write(last, bytes);
        Outcome resumed = train(SMALL, "--resume", last.toString());
        assertEquals(1, resumed.code());
        assertTrue(resumed.text().contains(last + ": this checkpoint is damaged"), resumed.text());
        assertTrue(resumed.text().contains("epoch-0001.safetensors"), resumed.text());
        assertArrayEquals(bytes, Files.readAllBytes(last));
    }

    @Test
    void anotherNetworkCannotResumeARun() throws IOException {
        assertEquals(0, train(SMALL, "--max-steps", "1").code());
        Outcome resumed = train(
                SMALL.replace("mlp-small", "lenet"),
                "--resume",
                folder.resolve("out/checkpoints/last.safetensors").toString());
        assertEquals(1, resumed.code());
        assertTrue(resumed.text().contains("config.yaml:2: network"), resumed.text());
    }

    @Test
    void mistakesAreNamedWithTheirLine() throws IOException {
        check("network: mlp-small", "network: lenett", "config.yaml:2", "lenet");
        check("optimizer: AdaFisher", "optimizer: AdaFish", "config.yaml:3", "AdaFisher");
        check("dataset: glyphs", "dataset: glyph", "glyphs");
        check("seed: 5", "seed: five", "config.yaml:6", "seed");
        check("max_epochs: 2", "max_epoch: 2", "config.yaml:4", "max_epochs");
        check("dataset: glyphs", "dataset: mnist", "--data");
        check("seed: 5", "device: tpu", "tpu");
        check("seed: 5", "model: {hidden: [0]}", "config.yaml:6");
    }

    private void check(String good, String bad, String... expected) throws IOException {
        Outcome outcome = train(SMALL.replace(good, bad));
        assertEquals(1, outcome.code(), outcome.text());
        for (String part : expected) {
            assertTrue(outcome.text().contains(part), outcome.text());
        }
        assertTrue(
                outcome.text()
                                .lines()
                                .filter(line -> !line.startsWith("WARNING"))
                                .count()
                        <= 2,
                outcome.text());
    }

    @Test
    void aLossThatIsNotANumberStopsTheRun() throws IOException {
        Outcome outcome = train(SMALL, "--set", "init_lr=1e30", "--set", "optimizer=SGD");
        assertEquals(1, outcome.code());
        assertTrue(outcome.text().contains("The loss became"), outcome.text());
    }

    @Test
    void severalTrialsHaveFoldersOfTheirOwn() throws IOException {
        Outcome outcome = train(SMALL, "--max-steps", "1", "--set", "n_trials=2");
        assertEquals(0, outcome.code(), outcome.text());
        assertTrue(Files.exists(folder.resolve("out/seed-5/summary.json")));
        assertTrue(Files.exists(folder.resolve("out/seed-6/summary.json")));
    }

    @Test
    void otherLossesAndEarlyStopping() throws IOException {
        for (String loss : List.of("mse", "binary_cross_entropy")) {
            Outcome outcome = train(
                    SMALL,
                    "--set",
                    "loss=" + loss,
                    "--set",
                    "optimizer=Adam",
                    "--output",
                    folder.resolve(loss).toString());
            assertEquals(0, outcome.code(), outcome.text());
            assertTrue(last(folder.resolve(loss)) < 0.5);
        }
        Outcome stopped = train(
                SMALL, "--set", "early_stop_threshold=100", "--set", "early_stop_patience=1", "--set", "max_epochs=9");
        assertEquals(0, stopped.code(), stopped.text());
        assertTrue(stopped.text().contains("stopped early"), stopped.text());
    }
}
