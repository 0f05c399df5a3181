package io.kingfisher.train;

import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.checkpoint.Checkpoint;
import io.kingfisher.train.checkpoint.CheckpointFolder;
import io.kingfisher.train.compare.RunOutcome;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.data.DataLoader;
import io.kingfisher.train.data.Position;
import io.kingfisher.train.report.MetricsLog;
import io.kingfisher.train.report.Scores;
import io.kingfisher.train.report.StepTimes;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * One run of a comparison: it ends where its budget does, and is evaluated at equal shares of it. Seconds are those of training
 * steps; waiting for data, evaluations and checkpoints do not count. A run that was killed goes on from its last checkpoint.
 */
final class ComparedRun {
    /** Hears of a run while it is under way. */
    interface Listener {
        /**
         * A step is done.
         *
         * @param share of the budget that is used, in [0, 1]
         * @param loss the mean since the last evaluation
         * @param accuracy the same, or NaN
         */
        void step(double share, double loss, double accuracy, double stepMillis);

        /** Something that a user should know. */
        void note(String text);
    }

    /** Between checkpoints, which are for resuming alone. */
    static final long SAVE_NANOS = 30L * 1_000_000_000;

    /** Steps of a warm-up after which it begins anew, so that it meets what is done at intervals several times. */
    private static final int WARM_STEPS = 8;

    /** Its share of the learning rate, with which no step can do harm. */
    private static final double WARM_RATE = 1e-3;

    private final ComparePlan plan;
    private final RunConfig config;
    private final Path points;
    private final CheckpointFolder checkpoints;
    private final Function<RunConfig, Device> devices;
    private final Listener listener;
    private final long saveNanos;

    ComparedRun(
            ComparePlan plan,
            RunConfig config,
            Path folder,
            Function<RunConfig, Device> devices,
            Listener listener,
            long saveNanos) {
        this.plan = plan;
        this.config = config;
        this.points = folder.resolve(RunOutcome.POINTS);
        this.checkpoints = new CheckpointFolder(folder.resolve("checkpoints"), 0, 0);
        this.devices = devices;
        this.listener = listener;
        this.saveNanos = saveNanos;
    }

    /** Runs to the end of the budget, or to a loss that is no number. */
    RunOutcome run() {
        try (Arena arena = Arena.ofShared();
                Experiment experiment = new Experiment(config, devices)) {
            RunProgress run = new RunProgress();
            boolean resumed = Files.exists(checkpoints.last());
            if (resumed) {
                Checkpoint checkpoint = CheckpointFolder.resume(checkpoints.last(), arena);
                Snapshots.restore(experiment, checkpoint, checkpoints.last());
                run = RunProgress.of(checkpoint.state());
            }
            warmUp(experiment, run);
            try (MetricsLog log = resumed ? MetricsLog.resume(points, run.step) : MetricsLog.resume(points, -1)) {
                return new Loop(experiment, run, log).run();
            }
        }
    }

    /** Makes steps that change nothing in the end, until compiled code is fast. */
    private void warmUp(Experiment experiment, RunProgress run) {
        try (Arena arena = Arena.ofShared()) {
            Checkpoint before = Snapshots.copy(experiment, run.toState(experiment), arena);
            Optimizer optimizer = experiment.optimizer();
            DataLoader loader = experiment.trainLoader();
            loader.seek(Position.START);
            Pipeline pipeline = new Pipeline(experiment.programs().history(), _ -> {});
            long end = System.nanoTime() + Math.round(plan.warmUp() * 1e9);
            for (int i = 0; System.nanoTime() < end; i++) {
                if (i % WARM_STEPS == 0) {
                    optimizer.resume(0);
                }
                optimizer.learningRate(0, WARM_RATE * config.optimizer().learningRate());
                experiment.programs().random(config.training().seed(), i);
                pipeline.give(experiment.programs().training(optimizer.advance()), loader.next(), 0);
            }
            pipeline.drain();
            Snapshots.restore(experiment, before, checkpoints.last());
            optimizer.reports();
        }
    }

    private final class Loop {
        private final Experiment experiment;
        private final RunProgress run;
        private final MetricsLog log;
        private final Optimizer optimizer;
        private final DataLoader loader;
        private final long perEpoch, total;
        private final LearningRate learningRate;
        private final Movement movement;
        private final StepTimes times = new StepTimes(1 << 10);
        private final Pipeline pipeline;
        private double rate;
        private double stepSeconds;
        private long timedSteps;
        private int point;
        private boolean measured;
        private long savedNanos = System.nanoTime();
        private String ended = "";

        Loop(Experiment experiment, RunProgress run, MetricsLog log) {
            this.experiment = experiment;
            this.run = run;
            this.log = log;
            this.optimizer = experiment.optimizer();
            this.loader = experiment.trainLoader();
            this.perEpoch = loader.batchesPerEpoch();
            boolean timed = plan.budget().timed();
            this.total = timed
                    ? Long.MAX_VALUE
                    : Math.max(1, Math.round(plan.budget().amount() * perEpoch));
            this.learningRate =
                    timed ? LearningRate.ofShares(config, perEpoch) : new LearningRate(config, perEpoch, total);
            this.movement = new Movement(experiment.model());
            this.pipeline = new Pipeline(experiment.programs().history(), this::done);
        }

        RunOutcome run() {
            optimizer.resume(run.step);
            loader.seek(new Position(run.epoch, run.batch));
            point = (int) Math.floor(share() * plan.points() + 1e-9);
            while (ended.isEmpty() && share() < 1) {
                step();
                if (ended.isEmpty() && share() * plan.points() >= point + 1 - 1e-9) {
                    pipeline.drain();
                    if (ended.isEmpty()) {
                        evaluate();
                    }
                }
            }
            Map<String, Object> more = new LinkedHashMap<>();
            more.put("steps", run.step);
            more.put("epochs", epochs());
            more.put("seconds", run.seconds);
            more.put("parameters", experiment.model().parameterCount());
            more.put(
                    "state_bytes",
                    optimizer.state().tensors().values().stream()
                            .mapToLong(tensor -> tensor.bytes())
                            .sum());
            more.put("device", experiment.device().report());
            List<Map<String, Object>> health = ended.isEmpty()
                    ? optimizer.health().stream().map(RunOutcome::map).toList()
                    : List.of();
            return new RunOutcome(ended, more, health, MetricsLog.read(points));
        }

        private double share() {
            return plan.budget().timed()
                    ? run.seconds / plan.budget().amount()
                    : (double) (run.step + pipeline.waiting()) / total;
        }

        private double epochs() {
            return run.epoch + (double) run.batch / perEpoch;
        }

        /** One step; half-way between two evaluations also what it moves. */
        private void step() {
            long number = run.step + pipeline.waiting();
            double share = share();
            rate = plan.budget().timed() ? learningRate.at(share, number) : learningRate.at(number);
            optimizer.learningRate(0, rate);
            boolean measuring = !measured && share * plan.points() >= point + 0.5;
            if (measuring) {
                pipeline.drain();
                movement.begin();
            }
            Optimizer.Cadence cadence = optimizer.advance();
            experiment.programs().random(config.training().seed(), number);
            pipeline.give(experiment.programs().training(cadence), loader.next(), rate);
            if (measuring) {
                pipeline.drain();
                movement.end();
                measured = true;
            }
        }

        private void done(Pipeline.Result result) {
            times.add(result.nanos());
            stepSeconds += result.nanos() / 1e9;
            timedSteps++;
            run.seconds += result.nanos() / 1e9;
            run.tally.add(result);
            run.step++;
            if (++run.batch == perEpoch) {
                run.epoch++;
                run.batch = 0;
            }
            double loss = result.loss() / result.count();
            if (!Double.isFinite(loss)) {
                ended = "the loss became " + loss + " in step " + run.step;
            }
            double accuracy = experiment.task().ranked() ? run.tally.accuracy() : Double.NaN;
            listener.step(Math.min(1, share()), run.tally.meanLoss(), accuracy, result.nanos() / 1e6);
        }

        private void evaluate() {
            Scores train = run.tally.scores(experiment.task(), experiment.task().ranked());
            Scores test = Evaluation.of(experiment);
            var record = new LinkedHashMap<String, Object>();
            record.put("kind", "point");
            record.put("step", run.step);
            record.put("epochs", epochs());
            record.put("seconds", run.seconds);
            train.putInto(record, "train");
            test.putInto(record, "test");
            record.put("lr", rate);
            record.put("step_ms", 1e3 * stepSeconds / timedSteps);
            record.put("step_ms_p50", times.percentileMillis(0.5));
            if (measured) {
                record.put("effective_step", movement.relative());
            }
            log.write(record);
            optimizer.reports().forEach(listener::note);
            run.tally = new Tally();
            times.clear();
            stepSeconds = 0;
            timedSteps = 0;
            measured = false;
            point = (int) Math.floor(share() * plan.points() + 1e-9);
            if (share() < 1 && System.nanoTime() - savedNanos > saveNanos) {
                save();
            }
        }

        /** At an evaluation, so that the means of the one after it are whole. */
        private void save() {
            log.sync();
            try (Arena arena = Arena.ofShared()) {
                checkpoints.save(Snapshots.take(experiment, run.toState(experiment), arena), false);
            }
            savedNanos = System.nanoTime();
        }
    }
}
