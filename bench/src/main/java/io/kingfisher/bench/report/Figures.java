package io.kingfisher.bench.report;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.bench.step.Engines;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The figures of a file: for each thing that was measured, the median over the rounds. */
final class Figures {
    private final Map<Entry, List<Map<String, Object>>> records = new LinkedHashMap<>();

    /** Reads what {@link Rounds} has written. */
    static Figures read(Path file) {
        Figures figures = new Figures();
        try {
            for (String line : Files.readAllLines(file)) {
                Map<String, Object> record = Json.parseObject(line);
                figures.records
                        .computeIfAbsent(Entry.of(record), _ -> new ArrayList<>())
                        .add(record);
            }
        } catch (IOException | RuntimeException e) {
            throw new KingfisherException(
                    file + " holds no figures that can be read: " + e + "; measure anew, or give another file.", e);
        }
        return figures;
    }

    List<Map<String, Object>> records(Entry entry) {
        return records.getOrDefault(entry, List.of());
    }

    int rounds() {
        return records.values().stream().mapToInt(List::size).max().orElse(0);
    }

    /** The median of a figure over the rounds; NaN where it was not measured. */
    double median(Entry entry, String key) {
        double[] values = records(entry).stream()
                .filter(record -> record.containsKey(key))
                .mapToDouble(record -> ((Number) record.get(key)).doubleValue())
                .sorted()
                .toArray();
        if (values.length == 0) {
            return Double.NaN;
        }
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    /** The median of the median step times, in ms. */
    double millis(Entry entry) {
        return median(entry, "p50_ms");
    }

    /** Libtorch at its best setting: the one with the least median. */
    Optional<Entry> libtorch(What what, String model, Rule rule, Refresh refresh, int threads) {
        return records.keySet().stream()
                .filter(e -> e.what() == what
                        && !e.engine().equals(Engines.OURS)
                        && e.model().equals(model)
                        && e.rule() == rule
                        && e.refresh() == refresh
                        && e.threads() == threads)
                .min(Comparator.comparingDouble(this::millis));
    }

    /** All settings of libtorch's that were measured for a step. */
    List<Entry> settings(String model, Rule rule, Refresh refresh, int threads) {
        return records.keySet().stream()
                .filter(e -> e.what() == What.STEP
                        && !e.engine().equals(Engines.OURS)
                        && e.model().equals(model)
                        && e.rule() == rule
                        && e.refresh() == refresh
                        && e.threads() == threads)
                .toList();
    }
}
