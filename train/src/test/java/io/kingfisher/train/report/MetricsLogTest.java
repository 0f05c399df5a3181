package io.kingfisher.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsLogTest {
    @TempDir
    private Path folder;

    static EpochRecord epoch(int epoch, double accuracy) {
        return new EpochRecord(
                epoch,
                10L * epoch,
                Scores.ofClasses(2.0 / epoch, accuracy - 0.01, OptionalDouble.empty()),
                Scores.ofClasses(2.1 / epoch, accuracy, OptionalDouble.of(0.999)),
                1e-3,
                3.25,
                4.5,
                1.5 * epoch);
    }

    private Path written(int epochs) {
        Path path = folder.resolve("run/metrics.jsonl");
        try (MetricsLog log = MetricsLog.create(path)) {
            for (int i = 1; i <= epochs; i++) {
                log.write(new StepRecord(10L * i - 5, i - 0.5, 1.0 / i, 1e-3).toMap());
                log.write(epoch(i, 0.9).toMap());
                log.sync();
            }
        }
        return path;
    }

    @Test
    void aRecordIsOneLine() throws IOException {
        Path path = written(1);
        assertEquals(
                List.of(
                        "{\"kind\":\"step\",\"step\":5,\"epoch\":0.5,\"loss\":1.0,\"lr\":0.001}",
                        "{\"kind\":\"epoch\",\"epoch\":1,\"step\":10,\"train_loss\":2.0,\"train_top1\":0.89,"
                                + "\"test_loss\":2.1,\"test_top1\":0.9,\"test_top5\":0.999,\"lr\":0.001,"
                                + "\"step_ms_p50\":3.25,\"step_ms_p99\":4.5,\"seconds\":1.5}"),
                Files.readAllLines(path));
        assertEquals(2.1, MetricsLog.read(path).get(1).get("test_loss"));
    }

    @Test
    void languageModelsHavePerplexities() {
        Map<String, Object> record =
                new EpochRecord(1, 1, Scores.ofLoss(1), Scores.ofTokens(2, 0.5), 1, 1, 1, 1).toMap();
        assertEquals(Math.exp(2), record.get("test_perplexity"));
        assertEquals(0.5, record.get("test_top1"));
        assertTrue(!record.containsKey("train_top1"));
    }

    @Test
    void anotherRunsMetricsAreNotOverwritten() throws IOException {
        Path path = written(1);
        byte[] before = Files.readAllBytes(path);
        var e = assertThrows(KingfisherException.class, () -> MetricsLog.create(path));
        assertTrue(e.getMessage().startsWith(path + ": another run's metrics are here"), e.getMessage());
        assertEquals(before.length, Files.size(path));
    }

    @Test
    void resumingDropsWhatIsPastTheCheckpoint() throws IOException {
        Path path = written(4);
        List<String> whole = Files.readAllLines(path);
        try (MetricsLog log = MetricsLog.resume(path, 20)) {
            log.write(Map.of("step", 25));
        }
        assertEquals(whole.subList(0, 4), Files.readAllLines(path).subList(0, 4));
        assertEquals("{\"step\":25}", Files.readAllLines(path).get(4));
        assertEquals(5, Files.readAllLines(path).size());
    }

    /** A process may be killed with any part of the last line written. */
    @Test
    void aTornEndIsDroppedWhereverItIsTorn() throws IOException {
        Path path = written(2);
        byte[] whole = Files.readAllBytes(path);
        List<String> lines = Files.readAllLines(path);
        for (int length = 0; length <= whole.length; length++) {
            Files.write(path, Arrays.copyOf(whole, length));
            int complete = (int) new String(whole, 0, length, StandardCharsets.UTF_8)
                    .chars()
                    .filter(c -> c == '\n')
                    .count();
            assertEquals(complete, MetricsLog.read(path).size());
            MetricsLog.resume(path, 1000).close();
            assertEquals(lines.subList(0, complete), Files.readAllLines(path));
        }
    }

    @Test
    void zerosThatACrashOfTheMachineLeftEndTheLog() throws IOException {
        Path path = written(1);
        long size = Files.size(path);
        Files.write(path, new byte[500], StandardOpenOption.APPEND);
        Files.writeString(path, "\n{\"step\":1}\n", StandardOpenOption.APPEND);
        MetricsLog.resume(path, 1000).close();
        assertEquals(size, Files.size(path));
    }

    @Test
    void resumingWithoutALogStartsOne() throws IOException {
        Path path = folder.resolve("new.jsonl");
        try (MetricsLog log = MetricsLog.resume(path, 7)) {
            log.write(Map.of("step", 8));
        }
        assertEquals(List.of("{\"step\":8}"), Files.readAllLines(path));
    }
}
