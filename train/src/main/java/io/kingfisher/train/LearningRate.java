package io.kingfisher.train;

import io.kingfisher.optimizers.schedule.Schedule;
import io.kingfisher.optimizers.schedule.Schedules;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.SchedulerConfig;
import java.util.List;

/** The learning rate of every step of a run, as its configuration says; a pure function of the step. */
final class LearningRate {
    private final double base;
    private final Schedule schedule;
    private final boolean perStep;
    private final long stepsPerEpoch;
    private final long warmup;
    private final double warmupStart;

    LearningRate(RunConfig config, long stepsPerEpoch, long totalSteps) {
        SchedulerConfig scheduler = config.scheduler();
        this.base = config.optimizer().learningRate();
        this.perStep = scheduler.perStep();
        this.stepsPerEpoch = stepsPerEpoch;
        this.warmup = scheduler.warmup().steps(stepsPerEpoch);
        this.warmupStart = scheduler.warmup().startFactor();
        long epochs = Math.max(1, (totalSteps + stepsPerEpoch - 1) / stepsPerEpoch);
        this.schedule = schedule(config, perStep ? totalSteps : epochs, base);
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
        double rate = schedule.at(base, perStep ? step : step / stepsPerEpoch);
        return step < warmup ? rate * (warmupStart + (1 - warmupStart) * (step + 1) / (warmup + 1)) : rate;
    }
}
