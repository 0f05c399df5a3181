package io.kingfisher.optimizers.schedule;

import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;

/** The schedules that PyTorch users know, under PyTorch's names and defaults. */
public final class Schedules {
    private Schedules() {}

    /** The base rate for ever. */
    public static Schedule constant() {
        return (base, time) -> base;
    }

    /** StepLR: times {@code gamma} after every {@code stepSize}. */
    public static Schedule step(long stepSize, double gamma) {
        atLeastOne("step_size", stepSize);
        return (base, time) -> base * Math.pow(gamma, Math.floorDiv(time, stepSize));
    }

    /** MultiStepLR: times {@code gamma} at each milestone; a milestone given twice counts twice. */
    public static Schedule multiStep(double gamma, long... milestones) {
        long[] sorted = milestones.clone();
        Arrays.sort(sorted);
        return (base, time) -> base
                * Math.pow(gamma, Arrays.stream(sorted).filter(m -> m <= time).count());
    }

    /** CosineAnnealingLR (Loshchilov and Hutter, 2017): from the base rate to {@code etaMin} at {@code tMax}, and back. */
    public static Schedule cosine(long tMax, double etaMin) {
        atLeastOne("T_max", tMax);
        return (base, time) -> etaMin + (base - etaMin) * (1 + Math.cos(Math.PI * time / tMax)) / 2;
    }

    /** CosineAnnealingWarmRestarts (Loshchilov and Hutter, 2017): a cosine of length {@code t0}, then {@code tMult} times it. */
    public static Schedule cosineWarmRestarts(long t0, long tMult, double etaMin) {
        atLeastOne("T_0", t0);
        atLeastOne("T_mult", tMult);
        return (base, time) -> {
            long length = t0, since = time;
            if (tMult == 1) {
                since = time % t0;
            } else {
                while (since >= length) {
                    since -= length;
                    length *= tMult;
                }
            }
            return etaMin + (base - etaMin) * (1 + Math.cos(Math.PI * since / length)) / 2;
        };
    }

    /**
     * OneCycleLR (Smith and Topin, 2018) of the rate alone: from {@code maxLr / divFactor} up to {@code maxLr} over the first
     * {@code pctStart} of the steps, then down to the initial rate over {@code finalDivFactor}. After {@code totalSteps} it
     * stays there. The base rate plays no part.
     */
    public static Schedule oneCycle(
            double maxLr, long totalSteps, double pctStart, double divFactor, double finalDivFactor, boolean cosine) {
        atLeastOne("total_steps", totalSteps);
        if (!(pctStart >= 0 && pctStart <= 1)) {
            throw new KingfisherException("OneCycleLR needs pct_start between 0 and 1, not " + pctStart + ".");
        }
        double first = maxLr / divFactor, last = first / finalDivFactor;
        double peak = pctStart * totalSteps - 1, end = totalSteps - 1.0;
        return (base, time) -> {
            if (time >= end) {
                return last;
            }
            return time <= peak
                    ? blend(first, maxLr, peak <= 0 ? 1 : time / peak, cosine)
                    : blend(maxLr, last, (time - peak) / (end - peak), cosine);
        };
    }

    private static double blend(double from, double to, double share, boolean cosine) {
        return cosine ? to + (from - to) / 2 * (1 + Math.cos(Math.PI * share)) : from + (to - from) * share;
    }

    /** LinearLR: the base rate times a factor that goes linearly from one to the other over {@code totalIters}. */
    public static Schedule linear(double startFactor, double endFactor, long totalIters) {
        atLeastOne("total_iters", totalIters);
        return (base, time) ->
                base * (startFactor + (endFactor - startFactor) * Math.min(time, totalIters) / totalIters);
    }

    /** Warm-up: linear from {@code base / length} to the base rate over {@code length}, then the other schedule from its start. */
    public static Schedule warmUp(long length, Schedule then) {
        if (length < 0) {
            throw new KingfisherException("A warm-up cannot last " + length + " steps; use 0 for none.");
        }
        return (base, time) -> time < length ? base * (time + 1) / length : then.at(base, time - length);
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new KingfisherException("The schedule needs " + name + " of at least 1, not " + value + ".");
        }
    }
}
