package io.kingfisher.train.config;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * The learning-rate schedule.
 *
 * @param name as its schema spells it, {@code None} for a constant rate
 * @param perStep whether the schedule's lengths count steps and the rate changes every step, rather than epochs
 * @param settings {@code scheduler_kwargs}; a length may be {@code auto}, which is the whole run
 * @param warmup the linear rise before it
 */
public record SchedulerConfig(String name, boolean perStep, Options settings, Warmup warmup) {
    /**
     * A linear rise of the learning rate, multiplied onto the schedule's.
     *
     * @param steps its length in steps, where given so
     * @param epochs its length in epochs, where given so; both are empty where there is no warm-up
     * @param startFactor the factor at the first step, in [0, 1]
     */
    public record Warmup(OptionalLong steps, OptionalDouble epochs, double startFactor) {
        /** The length in steps; 0 where there is no warm-up. */
        public long steps(long stepsPerEpoch) {
            return epochs.isPresent() ? Math.round(epochs.getAsDouble() * stepsPerEpoch) : steps.orElse(0);
        }
    }
}
