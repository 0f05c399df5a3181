package io.kingfisher.train;

import io.kingfisher.layers.LossScale;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.checkpoint.Checkpoint;
import io.kingfisher.train.checkpoint.CheckpointFolder;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.TrainingConfig;
import io.kingfisher.train.data.Batch;
import io.kingfisher.train.data.DataLoader;
import io.kingfisher.train.data.Position;
import io.kingfisher.train.report.EpochRecord;
import io.kingfisher.train.report.MetricsLog;
import io.kingfisher.train.report.Progress;
import io.kingfisher.train.report.RunPlots;
import io.kingfisher.train.report.RunSummary;
import io.kingfisher.train.report.Scores;
import io.kingfisher.train.report.StepRecord;
import io.kingfisher.train.report.StepTimes;
import io.kingfisher.train.report.TensorBoardLog;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One run: epochs of steps, an evaluation and a checkpoint after each. What it computes depends on the configuration and the
 * seed alone; a run that was killed and resumed from its last checkpoint ends with the same bits.
 */
final class Trainer {
    /** How a run begins: from new weights, from a file's weights, or where another run stopped. */
    record Start(Optional<Path> weights, Optional<Path> resume) {}

    private static final long SAVE_NANOS = 5L * 60 * 1_000_000_000;

    private final RunConfig config;
    private final RunFolder folder;
    private final Start start;
    private final Function<RunConfig, Device> devices;

    /**
     * @param devices opens the device that a configuration asks for
     */
    Trainer(RunConfig config, RunFolder folder, Start start, Function<RunConfig, Device> devices) {
        this.devices = devices;
        this.config = config;
        this.folder = folder;
        this.start = start;
    }

    /** Runs to the end and returns the last test scores. */
    Scores run() {
        try (Arena arena = Arena.ofShared()) {
            Optional<Checkpoint> checkpoint = start.resume().map(file -> CheckpointFolder.resume(file, arena));
            checkpoint.ifPresent(this::checkSameRun);
            try (Experiment experiment = new Experiment(config, devices)) {
                RunProgress run = checkpoint.map(c -> RunProgress.of(c.state())).orElseGet(RunProgress::new);
                checkpoint.ifPresent(
                        c -> Snapshots.restore(experiment, c, start.resume().orElseThrow()));
                start.weights().ifPresent(file -> Snapshots.initialize(experiment, file));
                return new Loop(experiment, run).run(checkpoint.isPresent());
            }
        }
    }

    /** What a run cannot change when it is resumed, since its state would mean something else. */
    private void checkSameRun(Checkpoint checkpoint) {
        for (String key : List.of(
                "dataset",
                "network",
                "model",
                "optimizer",
                "mini_batch_size",
                "seed",
                "shuffle",
                "text",
                "precision")) {
            Object before = checkpoint.state().config().get(key),
                    now = config.settings().get(key);
            if (!java.util.Objects.equals(String.valueOf(before), String.valueOf(now))) {
                throw config.source()
                        .error(
                                key,
                                "the run in " + start.resume().orElseThrow() + " was made with " + before + ", not "
                                        + now + "; resume it with what it was made with.");
            }
        }
    }

    /** The loop over an opened experiment. */
    private final class Loop {
        private final Experiment experiment;
        private final RunProgress run;
        private final DataLoader loader;
        private final Optimizer optimizer;
        private final long perEpoch, total, logEvery;
        private final LearningRate learningRate;
        private final CheckpointFolder checkpoints;
        private final StepTimes times;
        private long savedNanos = System.nanoTime();
        private Scores last = Scores.ofLoss(Double.NaN);
        private long skippedBefore;
        private String ended = "all epochs done";

        Loop(Experiment experiment, RunProgress run) {
            this.experiment = experiment;
            this.run = run;
            this.loader = experiment.trainLoader();
            this.optimizer = experiment.optimizer();
            TrainingConfig training = config.training();
            this.perEpoch = loader.batchesPerEpoch();
            this.total = Math.min(training.maxSteps().orElse(Long.MAX_VALUE), training.maxEpochs() * perEpoch);
            // A schedule's length is the whole run, wherever --max-steps may stop it for a look.
            this.learningRate = new LearningRate(config, perEpoch, training.maxEpochs() * perEpoch);
            this.logEvery = Math.max(1, perEpoch / 50);
            this.checkpoints = new CheckpointFolder(folder.checkpoints(), training.saveEvery(), 0);
            this.times = new StepTimes((int) Math.min(perEpoch, 1 << 20));
        }

        Scores run(boolean resumed) {
            optimizer.resume(run.step);
            skippedBefore = experiment.lossScale().map(LossScale::skipped).orElse(0L);
            loader.seek(new Position(run.epoch, run.batch));
            try (MetricsLog metrics = resumed
                            ? MetricsLog.resume(folder.metrics(), run.step)
                            : MetricsLog.create(folder.metrics());
                    TensorBoardLog board = TensorBoardLog.open(folder.output().resolve("tensorboard"), run.step);
                    Progress progress = Progress.open(run.step, total)) {
                introduce(progress, resumed);
                boolean more = run.step < total;
                while (more) {
                    more = epoch(metrics, board, progress);
                }
                finish(progress);
            }
            return last;
        }

        private void introduce(Progress progress, boolean resumed) {
            progress.line(experiment.subject() + ": " + experiment.sampleText() + "; "
                    + String.format(Locale.ROOT, "%,d", experiment.model().parameterCount()) + " parameters; "
                    + total + " steps of " + config.data().batchSize() + " on "
                    + experiment.device().name()
                    + (config.training().precision().equals("fp32")
                            ? ""
                            : ", products in " + config.training().precision()));
            experiment.device().notes().forEach(progress::line);
            config.notes().forEach(progress::line);
            experiment.data().notes().forEach(progress::line);
            optimizer.notes().forEach(progress::line);
            progress.line(
                    resumed
                            ? "resumed after " + run.step + " steps; results in " + folder.output()
                            : "results in " + folder.output());
        }

        /** Trains to the end of the epoch and evaluates; says whether another one follows. */
        private boolean epoch(MetricsLog metrics, TensorBoardLog board, Progress progress) {
            int number = run.epoch + 1;
            progress.begin("epoch " + number + "/" + config.training().maxEpochs(), run.step - run.batch, perEpoch);
            times.clear();
            long stepBefore = run.step;
            Pipeline pipeline =
                    new Pipeline(experiment.programs().history(), result -> done(result, metrics, board, progress));
            while (run.batch + pipeline.waiting() < perEpoch && run.step + pipeline.waiting() < total) {
                step(pipeline);
                boolean more = run.batch + pipeline.waiting() < perEpoch;
                if (more && System.nanoTime() - savedNanos > SAVE_NANOS) {
                    // What is saved is the state after the last step, so no step may be on its way.
                    pipeline.drain();
                    metrics.sync();
                    save(false);
                }
            }
            pipeline.drain();
            reportSkipped(progress, stepBefore);
            optimizer.reports().forEach(progress::line);
            Scores train = run.tally.scores(experiment.task(), experiment.task().ranked());
            last = Evaluation.of(experiment);
            EpochRecord record = new EpochRecord(
                    number,
                    run.step,
                    train,
                    last,
                    optimizer.learningRate(0),
                    times.percentileMillis(0.5),
                    times.percentileMillis(0.99),
                    run.seconds);
            metrics.write(record.toMap());
            board(board, record);
            progress.line(text(record));
            boolean whole = run.batch == perEpoch;
            if (whole) {
                run.epoch++;
                run.batch = 0;
                run.tally = new Tally();
            }
            double quality =
                    experiment.task().language() ? -last.loss() : last.top1().orElse(-last.loss());
            boolean best = quality > run.best;
            run.best = Math.max(run.best, quality);
            boolean stop = stopsEarly(train.loss());
            metrics.sync();
            save(best);
            if (stop) {
                ended = "stopped early: no progress in " + run.epochsWithout + " epochs";
            } else if (!whole) {
                ended = "max_steps reached";
            }
            return !stop && run.step < total;
        }

        /** Gives the next step to the device; what became of it, {@link #done} hears, maybe after more have been given. */
        private void step(Pipeline pipeline) {
            Batch batch = loader.next();
            long number = run.step + pipeline.waiting();
            double rate = learningRate.at(number);
            optimizer.learningRate(0, rate);
            Optimizer.Cadence cadence = optimizer.advance();
            experiment.programs().random(config.training().seed(), number);
            pipeline.give(experiment.programs().training(cadence), batch, rate);
        }

        private void done(Pipeline.Result result, MetricsLog metrics, TensorBoardLog board, Progress progress) {
            times.add(result.nanos());
            run.seconds += result.nanos() / 1e9;
            run.tally.add(result);
            run.step++;
            run.batch++;
            double loss = result.loss() / result.count();
            if (!Double.isFinite(loss)) {
                throw new KingfisherException("The loss became " + loss + " in step " + run.step
                        + "; lower init_lr, clip the gradients (clip: {norm: 1}) or look at the data"
                        + (experiment.lossScale().isPresent() ? ", or use the wider range of precision bf16" : "")
                        + "; the last good state is "
                        + checkpoints.last() + ", if an epoch was complete.");
            }
            if (run.step % logEvery == 0) {
                double epochs = run.epoch + (double) run.batch / perEpoch;
                metrics.write(new StepRecord(run.step, epochs, loss, result.learningRate()).toMap());
                board.scalar("loss/batch", run.step, loss);
                board.scalar("lr", run.step, result.learningRate());
            }
            double accuracy = experiment.task().ranked() ? run.tally.accuracy() : Double.NaN;
            progress.step(run.step, run.tally.meanLoss(), accuracy, result.nanos() / 1e6);
        }

        /** Says how many steps of the epoch the scale of the loss has had skipped; none may be left of them. */
        private void reportSkipped(Progress progress, long stepBefore) {
            if (experiment.lossScale().isEmpty()) {
                return;
            }
            LossScale scale = experiment.lossScale().get();
            long skipped = scale.skipped() - skippedBefore;
            skippedBefore = scale.skipped();
            if (skipped > 0 && skipped >= run.step - stepBefore) {
                throw new KingfisherException("No step of epoch " + (run.epoch + 1) + " had finite gradients, down to a"
                        + " loss scale of " + scale.scale() + "; look at the data and the learning rate, or train with"
                        + " precision bf16 or fp32.");
            }
            if (skipped > 0) {
                progress.line(skipped + (skipped == 1 ? " step was" : " steps were")
                        + " skipped because gradients overflowed; the loss scale is now "
                        + String.format(Locale.ROOT, "%.0f", scale.scale()));
            }
        }

        private boolean stopsEarly(double loss) {
            if (config.training().earlyStopThreshold().isEmpty()) {
                return false;
            }
            if (loss < run.leastLoss - config.training().earlyStopThreshold().getAsDouble()) {
                run.leastLoss = loss;
                run.epochsWithout = 0;
            } else {
                run.epochsWithout++;
            }
            return run.epochsWithout >= config.training().earlyStopPatience();
        }

        private void save(boolean best) {
            try (Arena arena = Arena.ofShared()) {
                checkpoints.save(Snapshots.take(experiment, run.toState(experiment), arena), best);
            }
            savedNanos = System.nanoTime();
        }

        private void board(TensorBoardLog board, EpochRecord record) {
            board.scalar("loss/train", record.step(), record.train().loss());
            board.scalar("loss/test", record.step(), record.test().loss());
            record.train().top1().ifPresent(value -> board.scalar("top1/train", record.step(), value));
            record.test().top1().ifPresent(value -> board.scalar("top1/test", record.step(), value));
            record.test().perplexity().ifPresent(value -> board.scalar("perplexity/test", record.step(), value));
            record.test()
                    .reconstructionError()
                    .ifPresent(value -> board.scalar("reconstruction_error/test", record.step(), value));
            board.scalar("step_ms/p50", record.step(), record.stepMillisP50());
        }

        private String text(EpochRecord r) {
            StringBuilder text = new StringBuilder();
            text.append(String.format(
                    Locale.ROOT,
                    "epoch %3d  train loss %.4f",
                    r.epoch(),
                    r.train().loss()));
            r.train().top1().ifPresent(v -> text.append(String.format(Locale.ROOT, "  acc %.2f%%", 100 * v)));
            text.append(String.format(Locale.ROOT, "  test loss %.4f", r.test().loss()));
            r.test().top1().ifPresent(v -> text.append(String.format(Locale.ROOT, "  acc %.2f%%", 100 * v)));
            r.test().perplexity().ifPresent(v -> text.append(String.format(Locale.ROOT, "  perplexity %.2f", v)));
            r.test().reconstructionError().ifPresent(v -> text.append(String.format(Locale.ROOT, "  error %.3f", v)));
            text.append(String.format(
                    Locale.ROOT,
                    "  lr %.2e  step %.2f ms (p99 %.2f)  %.0f s",
                    r.learningRate(),
                    r.stepMillisP50(),
                    r.stepMillisP99(),
                    r.seconds()));
            return text.toString();
        }

        private void finish(Progress progress) {
            List<Map<String, Object>> records = MetricsLog.read(folder.metrics());
            Map<String, Object> more = new LinkedHashMap<>();
            more.put("subject", experiment.subject());
            more.put("parameters", experiment.model().parameterCount());
            more.put("steps", run.step);
            more.put("seconds", run.seconds);
            more.put("ended", ended);
            more.put("device", experiment.device().report());
            more.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
            RunSummary.write(folder.output().resolve("summary.json"), config, records, more);
            try {
                RunPlots.write(folder.output(), experiment.subject(), records);
            } catch (KingfisherException e) {
                // A machine without fonts can train; the metrics are there to be drawn elsewhere.
                progress.line(e.getMessage());
            }
            progress.line(ended + "; metrics, plots and checkpoints in " + folder.output());
        }
    }
}
