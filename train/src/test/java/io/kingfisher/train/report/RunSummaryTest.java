package io.kingfisher.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunSummaryTest {
    @TempDir
    private Path folder;

    private final RunConfig config =
            Methods.reader().parse("{dataset: glyphs, network: lenet, seed: 4}", "a.yaml", List.of());

    private Map<String, Object> summary(List<Map<String, Object>> records) throws IOException {
        Path file = folder.resolve("summary.json");
        RunSummary.write(file, config, records, Map.of("device", "cpu"));
        return Json.parseObject(Files.readString(file));
    }

    @Test
    void namesTheBestEpochByAccuracy() throws IOException {
        Map<String, Object> summary = summary(List.of(
                MetricsLogTest.epoch(1, 0.9).toMap(),
                MetricsLogTest.epoch(2, 0.95).toMap(),
                new StepRecord(25, 2.5, 1, 1).toMap(),
                MetricsLogTest.epoch(3, 0.94).toMap(),
                MetricsLogTest.epoch(4, Double.NaN).toMap()));
        assertEquals(2L, Json.object(summary.get("best")).get("epoch"));
        assertEquals(4L, Json.object(summary.get("last")).get("epoch"));
        assertEquals("glyphs", summary.get("dataset"));
        assertEquals("cpu", summary.get("device"));
        assertEquals(4L, summary.get("seed"));
        assertEquals("AdaFisher", Json.object(summary.get("config")).get("optimizer"));
    }

    @Test
    void namesTheBestEpochByLossForLanguageModels() throws IOException {
        Scores good = Scores.ofTokens(1.5, 0.4);
        Scores worse = Scores.ofTokens(1.6, 0.5);
        Map<String, Object> summary = summary(List.of(
                new EpochRecord(1, 1, good, good, 1, 1, 1, 1).toMap(),
                new EpochRecord(2, 2, worse, worse, 1, 1, 1, 1).toMap()));
        assertEquals(1L, Json.object(summary.get("best")).get("epoch"));
    }

    @Test
    void aRunWithoutEpochsHasNoBest() throws IOException {
        assertFalse(summary(List.of()).containsKey("best"));
    }

    @Test
    void percentilesAreNearestRanks() {
        var times = new StepTimes(2);
        assertEquals(Double.NaN, times.percentileMillis(0.5));
        for (int i = 100; i >= 1; i--) {
            times.add(i * 1_000_000L);
        }
        assertEquals(50, times.percentileMillis(0.5));
        assertEquals(99, times.percentileMillis(0.99));
        assertEquals(100, times.percentileMillis(1));
        times.clear();
        times.add(3_500_000);
        assertEquals(3.5, times.percentileMillis(0.01));
    }
}
