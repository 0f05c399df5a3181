package io.kingfisher.bench.report;

import static io.kingfisher.bench.step.Engines.OURS;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The charts of the page. */
record Charts(Figures figures, List<String> models, int threads) {
    /** Draws all charts that there are figures for. */
    void write(Path folder) throws IOException {
        Map<String, List<Double>> steps = new LinkedHashMap<>();
        steps.put("Kingfisher", each(model -> sgd(model) / libtorch(What.STEP, model, Rule.SGD, Refresh.SCHEDULED)));
        steps.put("libtorch at its best", each(_ -> 1));
        BarChart.write(folder.resolve("steps.svg"), "A training step with SGD", "time, libtorch = 1", models, steps);

        Map<String, List<Double>> optimizers = new LinkedHashMap<>();
        optimizers.put("AdamW", each(model -> step(model, Rule.ADAMW, Refresh.SCHEDULED) / sgd(model)));
        optimizers.put("AdaFisher", each(model -> step(model, Rule.ADAFISHER, Refresh.NEVER) / sgd(model)));
        optimizers.put(
                "AdaFisher with a refresh", each(model -> step(model, Rule.ADAFISHER, Refresh.ALWAYS) / sgd(model)));
        BarChart.write(
                folder.resolve("optimizers.svg"), "Steps of other optimizers", "time, SGD = 1", models, optimizers);

        List<Rule> rules = Arrays.asList(Rule.values());
        Map<String, List<Double>> updates = new LinkedHashMap<>();
        updates.put(
                "Kingfisher",
                rules.stream()
                        .map(rule -> figures.millis(
                                new Entry(What.UPDATE, OURS, Plan.UPDATED, rule, Refresh.NEVER, threads)))
                        .toList());
        updates.put(
                "libtorch",
                rules.stream()
                        .map(rule -> libtorch(What.UPDATE, Plan.UPDATED, rule, Refresh.NEVER))
                        .toList());
        if (updates.get("Kingfisher").stream().noneMatch(value -> value.isNaN())) {
            BarChart.write(
                    folder.resolve("updates.svg"),
                    "The update of 11.2 million parameters",
                    "ms",
                    rules.stream().map(Page::label).toList(),
                    updates);
        }
    }

    private List<Double> each(ToDoubleFunction<String> height) {
        return models.stream().map(height::applyAsDouble).toList();
    }

    private double step(String model, Rule rule, Refresh refresh) {
        return figures.millis(Entry.step(OURS, model, rule, refresh, threads));
    }

    private double sgd(String model) {
        return step(model, Rule.SGD, Refresh.SCHEDULED);
    }

    private double libtorch(What what, String model, Rule rule, Refresh refresh) {
        return figures.libtorch(what, model, rule, refresh, threads)
                .map(figures::millis)
                .orElse(Double.NaN);
    }
}
