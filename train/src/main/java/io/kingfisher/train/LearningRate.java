package io.kingfisher.train;

import io.kingfisher.optimizers.schedule.Schedule;
import io.kingfisher.optimizers.schedule.Schedules;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.SchedulerConfig;
import java.util.List;

/**
 * The learning rate of every step of a run, as its configuration says: a pure function of the step, or where a run's length is
 * not counted in steps, of the step and the share of the run that is over.
 */
final class LearningRate {
    /** What a run without a length in steps is divided into. */
    private static final long PARTS = 1_000_000;

    private final double base;
    private final Schedule schedule;
    private final boolean perStep;
    private final long stepsPerEpoch;
    private final long warmup;
    private final double warmupStart;

    /** Of a run whose length in steps is known. */
    LearningRate(RunConfig config, long stepsPerEpoch, long totalSteps) {
        this(
                config.scheduler().perStep()
                        ? totalSteps
                        : Math.max(1, (totalSteps + stepsPerEpoch - 1) / stepsPerEpoch),
                config,
                stepsPerEpoch);
    }

    /** Of a run that ends after some time, whatever the steps until then: {@link #at(double, long)} answers. */
    static LearningRate ofShares(RunConfig config, long stepsPerEpoch) {
        SchedulerConfig scheduler = config.scheduler();
        Options o = scheduler.settings();
        boolean open = switch (scheduler.name()) {
            case "None" -> true;
            case "CosineAnnealingLR" -> o.isAuto("T_max");
            case "LinearLR" -> o.isAuto("total_iters");
            case "OneCycleLR" -> o.isAuto("total_steps") && !o.has("epochs");
            default -> false;
        };
        if (!open) {
            throw config.source()
                    .error(
                            "scheduler",
                            scheduler.name() + " has lengths in epochs or steps, and a budget in seconds has none; use"
                                    + " CosineAnnealingLR, LinearLR or OneCycleLR with the length auto, or None.");
        }
        return new LearningRate(PARTS, config, stepsPerEpoch);
    }

    private LearningRate(long length, RunConfig config, long stepsPerEpoch) {
        SchedulerConfig scheduler = config.scheduler();
        this.base = config.optimizer().learningRate();
        this.perStep = scheduler.perStep();
        this.stepsPerEpoch = stepsPerEpoch;
        this.warmup = scheduler.warmup().steps(stepsPerEpoch);
        this.warmupStart = scheduler.warmup().startFactor();
        this.schedule = schedule(config, length, base);
    }

    private static Schedule schedule(RunConfig config, long length, double base) {
        Options o = config.scheduler().settings();
        String name = config.scheduler().name();
        return switch (name) {
            case "None" -> Schedules.constant();
            case "StepLR" -> Schedules.step(o.whole("step_size"), o.real("gamma"));
            case "MultiStepLR" ->
                Schedules.multiStep(
                        o.real("gamma"),
                        o.wholes("milestones").stream().mapToLong(m -> m).toArray());
            case "CosineAnnealingLR" -> Schedules.cosine(o.whole("T_max", length), o.real("eta_min"));
            case "CosineAnnealingWarmRestarts" ->
                Schedules.cosineWarmRestarts(o.whole("T_0"), o.whole("T_mult"), o.real("eta_min"));
            case "OneCycleLR" -> {
                long counted = o.has("epochs") && o.has("steps_per_epoch")
                        ? o.whole("epochs") * o.whole("steps_per_epoch")
                        : length;
                yield Schedules.oneCycle(
                        o.real("max_lr", base),
                        o.whole("total_steps", counted),
                        o.real("pct_start"),
                        o.real("div_factor"),
                        o.real("final_div_factor"),
                        o.text("anneal_strategy").equals("cos"));
            }
            case "LinearLR" ->
                Schedules.linear(o.real("start_factor"), o.real("end_factor"), o.whole("total_iters", length));
            default ->
                throw config.source()
                        .unknownName(
                                "scheduler",
                                name,
                                List.of(
                                        "None",
                                        "StepLR",
                                        "MultiStepLR",
                                        "CosineAnnealingLR",
                                        "CosineAnnealingWarmRestarts",
                                        "OneCycleLR",
                                        "LinearLR"));
        };
    }

    /** The rate of a step, 0 being the first of the run. */
    double at(long step) {
        return warmedUp(schedule.at(base, perStep ? step : step / stepsPerEpoch), step);
    }

    /**
     * The rate of a step.
     *
     * @param share of the run that is over, in [0, 1]
     */
    double at(double share, long step) {
        return warmedUp(schedule.at(base, Math.round(PARTS * Math.clamp(share, 0, 1))), step);
    }

    private double warmedUp(double rate, long step) {
        return step < warmup ? rate * (warmupStart + (1 - warmupStart) * (step + 1) / (warmup + 1)) : rate;
    }
}
