package io.kingfisher.train;

import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.workload.Cost;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What methods cost beside SGD, each step with its share of refreshes and decompositions, as a table in Markdown. */
final class CostTable {
    private static final List<String> HEAD = List.of(
            "workload",
            "optimizer",
            "step, ms",
            "with statistics",
            "with decompositions",
            "per period",
            "mean",
            "mean / SGD",
            "statistics / SGD step",
            "decompositions / SGD step");

    private final List<Map<String, Object>> records = new ArrayList<>();

    /** Measures SGD and then the methods on a workload, each on a device of its own, and prints a line for each. */
    void measure(
            Supplier<Device> devices,
            Workload workload,
            List<Method> methods,
            int steps,
            double seconds,
            Consumer<String> lines) {
        if (records.isEmpty()) {
            lines.accept(row(HEAD));
            lines.accept(row(HEAD.stream().map(_ -> "---").toList()));
        }
        List<Method> all = new ArrayList<>(List.of(Method.SGD));
        methods.stream()
                .filter(method -> !method.label().equals(Method.SGD.label()))
                .forEach(all::add);
        double sgd = 0;
        for (Method method : all) {
            try (Device device = devices.get()) {
                Cost cost = Cost.of(device, workload, method, steps, seconds);
                sgd = method == Method.SGD ? cost.mean() : sgd;
                lines.accept(add(workload, method, cost, sgd));
            }
        }
    }

    /** What was measured, a record for each method. */
    List<Map<String, Object>> records() {
        return List.copyOf(records);
    }

    private String add(Workload workload, Method method, Cost cost, double sgd) {
        Map<Cadence, Double> millis = cost.millis();
        double step = millis.getOrDefault(Cadence.STEP, Double.NaN);
        double least = Double.isNaN(step) ? sgd : step;
        double statistics = millis.getOrDefault(Cadence.REFRESH, Double.NaN);
        double decompositions = millis.getOrDefault(Cadence.SOLVE, Double.NaN);
        List<String> shares =
                cost.perPeriod().values().stream().map(String::valueOf).toList();
        var record = new LinkedHashMap<String, Object>();
        record.put("model", workload.name());
        record.put("optimizer", method.label());
        cost.millis().forEach((cadence, time) -> record.put(cadence.name().toLowerCase(Locale.ROOT) + "_ms", time));
        cost.perPeriod()
                .forEach(
                        (cadence, count) -> record.put(cadence.name().toLowerCase(Locale.ROOT) + "_per_period", count));
        record.put("mean_ms", cost.mean());
        record.put("mean_over_sgd", cost.mean() / sgd);
        records.add(record);
        return row(List.of(
                workload.name(),
                method.label(),
                number(step),
                number(statistics),
                number(decompositions),
                String.join(" + ", shares),
                number(cost.mean()),
                number(cost.mean() / sgd),
                number((statistics - least) / sgd),
                number((decompositions - least) / sgd)));
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, value < 10 ? "%.3f" : "%.1f", value);
    }

    private static String row(List<String> cells) {
        return "| " + String.join(" | ", cells) + " |";
    }
}
