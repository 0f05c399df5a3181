package io.kingfisher.train;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.checkpoint.TrainingState;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where a run stands beside its tensors: what is saved with a checkpoint and read back from it. */
final class RunProgress {
    int epoch;
    int batch;
    long step;
    double seconds;
    Tally tally = new Tally();

    /** The best quality so far: larger is better. */
    double best = Double.NEGATIVE_INFINITY;

    /** The least training loss that early stopping has seen, and the epochs since. */
    double leastLoss = Double.POSITIVE_INFINITY;

    int epochsWithout;

    TrainingState toState(Experiment experiment) {
        var data = new LinkedHashMap<String, Object>();
        data.put("epoch", (long) epoch);
        data.put("batch", (long) batch);
        var progress = new LinkedHashMap<String, Object>();
        progress.put("tally", tally.toMap());
        progress.put("seconds", seconds);
        if (Double.isFinite(best)) {
            progress.put("best", best);
        }
        if (Double.isFinite(leastLoss)) {
            progress.put("least_loss", leastLoss);
        }
        progress.put("epochs_without", (long) epochsWithout);
        long seed = experiment.config().training().seed();
        var random = Map.of("seed", seed, "step", step);
        var schedule = Map.<String, Object>of("lr", experiment.optimizer().learningRate(0));
        return new TrainingState(
                epoch,
                step,
                batch,
                seed,
                random,
                schedule,
                data,
                progress,
                experiment.config().settings());
    }

    static RunProgress of(TrainingState state) {
        RunProgress run = new RunProgress();
        run.epoch = state.epoch();
        run.batch = (int) state.batch();
        run.step = state.step();
        Map<String, Object> progress = state.progress();
        try {
            run.tally = Tally.of(progress.get("tally"));
            run.seconds = Json.real(progress.get("seconds"));
            run.epochsWithout = (int) Json.real(progress.get("epochs_without"));
            if (progress.containsKey("best")) {
                run.best = Json.real(progress.get("best"));
            }
            if (progress.containsKey("least_loss")) {
                run.leastLoss = Json.real(progress.get("least_loss"));
            }
        } catch (IOException e) {
            throw new KingfisherException("The checkpoint's progress cannot be read: " + e.getMessage() + ".", e);
        }
        return run;
    }
}
