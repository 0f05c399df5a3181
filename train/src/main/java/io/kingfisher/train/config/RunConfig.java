package io.kingfisher.train.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One run: everything a configuration file and the command line say, checked, with defaults filled in.
 *
 * <p>Names that other parts know better (data sets, networks, devices) are kept as written; they answer an unknown one
 * with {@link Source#unknownName}, which still points at the line.
 *
 * @param data what to train on
 * @param model the network
 * @param optimizer the optimizer
 * @param scheduler the learning-rate schedule
 * @param training how long, and on which device
 * @param settings the same settings as a nested map with the file's own key names and all defaults, of Double, Long,
 *     Boolean, String, List and Map; written as JSON or YAML it can be read again as a configuration
 * @param source where each key came from
 * @param notes what the user should be told before the run starts, such as keys without effect
 */
public record RunConfig(
        DataConfig data,
        ModelConfig model,
        OptimizerConfig optimizer,
        SchedulerConfig scheduler,
        TrainingConfig training,
        Map<String, Object> settings,
        Source source,
        List<String> notes) {
    public RunConfig {
        notes = List.copyOf(notes);
    }

    /** The runs of {@code n_trials}: this configuration with the seeds {@code seed}, {@code seed + 1}, ... */
    public List<RunConfig> trials() {
        var runs = new ArrayList<RunConfig>();
        for (int trial = 0; trial < training.trials(); trial++) {
            runs.add(withSeed(training.seed() + trial));
        }
        return runs;
    }

    /** The same run with another seed. */
    public RunConfig withSeed(long seed) {
        var changed = new LinkedHashMap<>(settings);
        changed.put("seed", seed);
        var run = new TrainingConfig(
                training.loss(),
                training.labelSmoothing(),
                training.maxEpochs(),
                training.maxSteps(),
                training.trials(),
                seed,
                training.earlyStopThreshold(),
                training.earlyStopPatience(),
                training.saveEvery(),
                training.precision(),
                training.device(),
                training.threads(),
                training.winograd(),
                training.deterministic());
        return new RunConfig(
                data, model, optimizer, scheduler, run, Collections.unmodifiableMap(changed), source, notes);
    }
}
