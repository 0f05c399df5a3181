package io.kingfisher.train.report;

import io.kingfisher.train.checkpoint.AtomicFile;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.json.Json;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code summary.json}: what a run was and how it ended, in one object. */
public final class RunSummary {
    private RunSummary() {}

    /**
     * Writes the file.
     *
     * @param epochs the run's epochs, from {@link MetricsLog#read} so that a resumed run counts them all
     * @param more what else to say, such as the device, libraries, threads and why the run ended
     */
    public static void write(Path file, RunConfig config, List<Map<String, Object>> epochs, Map<String, Object> more) {
        var summary = new LinkedHashMap<String, Object>();
        summary.put("dataset", config.data().dataset());
        summary.put("network", config.model().network());
        summary.put("optimizer", config.optimizer().name());
        summary.put("seed", config.training().seed());
        summary.putAll(more);
        List<Map<String, Object>> records = epochs.stream()
                .filter(record -> "epoch".equals(record.get("kind")))
                .toList();
        if (!records.isEmpty()) {
            summary.put("last", withoutKind(records.getLast()));
            records.stream()
                    .max(Comparator.comparingDouble(RunSummary::quality))
                    .ifPresent(best -> summary.put("best", withoutKind(best)));
        }
        summary.put("config", config.settings());
        AtomicFile.writeText(file, Json.writePretty(summary));
    }

    /** Accuracy where there is one, otherwise the loss; a NaN is never the best. */
    private static double quality(Map<String, Object> record) {
        double quality = record.get("test_top1") instanceof Number top1 && record.get("test_perplexity") == null
                ? top1.doubleValue()
                : record.get("test_loss") instanceof Number loss ? -loss.doubleValue() : Double.NEGATIVE_INFINITY;
        return Double.isNaN(quality) ? Double.NEGATIVE_INFINITY : quality;
    }

    private static Map<String, Object> withoutKind(Map<String, Object> record) {
        var copy = new LinkedHashMap<>(record);
        copy.remove("kind");
        return copy;
    }
}
