package io.kingfisher.train.config;

import java.util.List;
import java.util.Optional;

/**
 * Several optimizers on one task.
 *
 * @param title for the report
 * @param budget what every run may use
 * @param points evaluations of a run, at equal shares of its budget
 * @param warmUp seconds of steps before each run that are not counted and whose effect is undone: compiled code is fast only
 *     after a while
 * @param seeds a run of every entry for each
 * @param target what a run is to reach, where one is given
 * @param entries the optimizers
 * @param source where each key came from
 */
public record ComparePlan(
        String title,
        Budget budget,
        int points,
        double warmUp,
        List<Long> seeds,
        Optional<Target> target,
        List<Entry> entries,
        Source source) {
    public ComparePlan {
        seeds = List.copyOf(seeds);
        entries = List.copyOf(entries);
    }

    /** What every run may use: passes over the training data, or seconds of training steps. */
    public record Budget(Unit unit, double amount) {
        /** What is equal for all. */
        public enum Unit {
            EPOCHS,
            SECONDS
        }

        public boolean timed() {
            return unit == Unit.SECONDS;
        }

        /** {@code 5 epochs}, {@code 1.5 seconds}. */
        @Override
        public String toString() {
            String number = amount == Math.rint(amount) ? String.valueOf((long) amount) : String.valueOf(amount);
            return number + (timed() ? " seconds" : " epochs");
        }
    }

    /**
     * A value of a measure that says when a run has come far enough.
     *
     * @param measure its key in the records of a run, such as {@code test_top1}
     */
    public record Target(String measure, double value) {
        /** Whether a value is at the target or beyond it. */
        public boolean reached(double found) {
            return measure.endsWith("top1") ? found >= value : found <= value;
        }
    }

    /** One optimizer and the name that the report gives it. */
    public record Entry(String label, RunConfig config) {}
}
