package io.kingfisher.train;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a run's files go.
 *
 * @param output metrics, plots, summary and TensorBoard events
 * @param checkpoints the run's states
 */
record RunFolder(Path output, Path checkpoints) {
    static final String METRICS = "metrics.jsonl";

    static RunFolder of(Path output, Path checkpoints) {
        return new RunFolder(output, checkpoints != null ? checkpoints : output.resolve("checkpoints"));
    }

    /** The first of {@code runs/name}, {@code runs/name-2}, ... that holds no run yet. */
    static Path fresh(String name) {
        Path folder = Path.of("runs", name);
        for (int i = 2; Files.exists(folder); i++) {
            folder = Path.of("runs", name + "-" + i);
        }
        return folder;
    }

    /** The folder of one of several trials. */
    RunFolder trial(long seed) {
        return new RunFolder(output.resolve("seed-" + seed), checkpoints.resolve("seed-" + seed));
    }

    Path metrics() {
        return output.resolve(METRICS);
    }
}
