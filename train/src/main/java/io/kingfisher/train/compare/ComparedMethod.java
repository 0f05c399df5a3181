package io.kingfisher.train.compare;

import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.DoubleStream;

/**
 * One method's runs.
 *
 * @param runs by seed
 */
public record ComparedMethod(ComparePlan.Entry entry, SequencedMap<Long, RunOutcome> runs) {
    public String label() {
        return entry.label();
    }

    /** The runs that reached the end of their budget. */
    public List<RunOutcome> whole() {
        return runs.values().stream().filter(run -> run.failure().isEmpty()).toList();
    }

    /** A measure at the end of the runs that have one. */
    public Sample last(String measure) {
        return Sample.of(whole().stream()
                .filter(run -> !run.points().isEmpty())
                .mapToDouble(run -> number(run.points().getLast(), measure)));
    }

    /** A measure at one of the evaluations, of the runs that reached it. */
    Sample at(int point, String measure) {
        return Sample.of(runs.values().stream()
                .filter(run -> point < run.points().size())
                .mapToDouble(run -> number(run.points().get(point), measure)));
    }

    /** How many evaluations the longest run has. */
    int points() {
        return runs.values().stream().mapToInt(run -> run.points().size()).max().orElse(0);
    }

    /** A fact of the runs that say it. */
    Sample fact(String key) {
        return Sample.of(whole().stream().mapToDouble(run -> number(run.facts(), key)));
    }

    /** The mean over evaluations of a measure, for each run. */
    Sample mean(String measure) {
        return Sample.of(whole().stream()
                .mapToDouble(run -> run.points().stream()
                        .mapToDouble(point -> number(point, measure))
                        .filter(Double::isFinite)
                        .average()
                        .orElse(Double.NaN)));
    }

    /** The seconds, or epochs, of the first evaluation at the target, of the runs that reached it. */
    Sample timeTo(ComparePlan.Target target, String clock) {
        List<Double> times = new ArrayList<>();
        for (RunOutcome run : runs.values()) {
            Optional<Map<String, Object>> first = run.points().stream()
                    .filter(point -> target.reached(number(point, target.measure())))
                    .findFirst();
            first.ifPresent(point -> times.add(number(point, clock)));
        }
        return Sample.of(times.stream().mapToDouble(Double::doubleValue));
    }

    /** The median over the layers of a measure of their curvature's health, for each run that offers it. */
    Sample health(String measure) {
        return Sample.of(whole().stream()
                .map(run -> run.health().stream().mapToDouble(layer -> number(layer, measure)))
                .mapToDouble(ComparedMethod::median));
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int n = sorted.length;
        return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    /** A number of a record, NaN where there is none. */
    static double number(Map<String, Object> record, String key) {
        try {
            return record.get(key) == null ? Double.NaN : Json.real(record.get(key));
        } catch (IOException e) {
            return Double.NaN;
        }
    }

    /**
     * Numbers of several runs, those that are none left out.
     *
     * @param size how many there are
     * @param mean NaN where there are none
     * @param deviation with n - 1 in the denominator; NaN where there are fewer than two
     */
    public record Sample(int size, double mean, double deviation) {
        static Sample of(DoubleStream numbers) {
            double[] values = numbers.filter(value -> !Double.isNaN(value)).toArray();
            double mean = Arrays.stream(values).average().orElse(Double.NaN);
            double squares =
                    Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
            return new Sample(
                    values.length, mean, values.length < 2 ? Double.NaN : Math.sqrt(squares / (values.length - 1)));
        }

        Sample times(double factor) {
            return new Sample(size, factor * mean, Math.abs(factor) * deviation);
        }
    }
}
