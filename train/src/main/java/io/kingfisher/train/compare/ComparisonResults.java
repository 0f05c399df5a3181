package io.kingfisher.train.compare;

import io.kingfisher.train.checkpoint.AtomicFile;
import io.kingfisher.train.compare.ComparedMethod.Sample;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What came out of a comparison, as files and tables. */
public final class ComparisonResults {
    private final ComparePlan plan;
    private final List<ComparedMethod> methods;
    private final List<Measure> measures;

    /**
     * @param methods in the order of the plan
     */
    public ComparisonResults(ComparePlan plan, List<ComparedMethod> methods) {
        this.plan = plan;
        this.measures = methods.stream()
                .map(Measure::of)
                .max(Comparator.comparingInt(List::size))
                .orElse(List.of());
        this.methods = ranked(methods);
    }

    /** The best first; those without a result last. */
    private List<ComparedMethod> ranked(List<ComparedMethod> all) {
        if (measures.isEmpty()) {
            return List.copyOf(all);
        }
        Measure first = measures.getFirst();
        return all.stream()
                .sorted(Comparator.comparingDouble((ComparedMethod method) -> {
                    double mean = method.last(first.key()).mean();
                    return Double.isNaN(mean) ? Double.POSITIVE_INFINITY : first.more() ? -mean : mean;
                }))
                .toList();
    }

    ComparePlan plan() {
        return plan;
    }

    List<ComparedMethod> methods() {
        return methods;
    }

    /** What there is to compare by; the first ranks the methods. */
    List<Measure> measures() {
        return measures;
    }

    /** One run in a few words. */
    public static String line(RunOutcome outcome) {
        if (!outcome.failure().isEmpty()) {
            return "did not reach the end: " + outcome.failure();
        }
        Map<String, Object> last = outcome.points().getLast();
        var text = new StringBuilder(
                String.format(Locale.ROOT, "test loss %.4f", ComparedMethod.number(last, "test_loss")));
        for (Measure measure : List.of(Measure.ERROR, Measure.PERPLEXITY, Measure.ACCURACY)) {
            double value = ComparedMethod.number(last, measure.key());
            if (!Double.isNaN(value)) {
                text.append(", ")
                        .append(measure.name())
                        .append(' ')
                        .append(number(measure.scale() * value, measure.digits()));
            }
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "; %.1f epochs, %.2f ms a step",
                        ComparedMethod.number(last, "epochs"),
                        ComparedMethod.number(last, "step_ms")))
                .toString();
    }

    /** The heads of the table's columns. */
    List<String> head() {
        List<String> head = new ArrayList<>(List.of("method"));
        measures.stream().filter(ComparisonResults::tabled).map(Measure::name).forEach(head::add);
        plan.target().ifPresent(target -> head.add("seconds to " + text(target)));
        head.addAll(List.of(
                plan.budget().timed() ? "epochs" : "seconds",
                "step (ms)",
                "state (MB)",
                "condition",
                "damping / curvature",
                "effective step",
                "runs"));
        return head;
    }

    /** The table's rows, best first. */
    List<List<String>> rows() {
        return methods.stream().map(this::row).toList();
    }

    private List<String> row(ComparedMethod method) {
        List<String> row = new ArrayList<>(List.of(method.label()));
        measures.stream()
                .filter(ComparisonResults::tabled)
                .map(m -> text(method.last(m.key()).times(m.scale()), m.digits()))
                .forEach(row::add);
        plan.target().ifPresent(target -> {
            Sample times = method.timeTo(target, "seconds");
            int runs = method.runs().size();
            row.add(text(times, 1) + (times.size() == runs ? "" : " (" + times.size() + " of " + runs + ")"));
        });
        row.add(text(method.fact(plan.budget().timed() ? "epochs" : "seconds"), 1));
        row.add(text(method.mean("step_ms"), 2));
        row.add(text(method.fact("state_bytes").times(1e-6), 1));
        row.add(scientific(method.health("condition").mean()));
        row.add(scientific(method.health("relative_damping").mean()));
        row.add(scientific(method.mean("effective_step").mean()));
        row.add(method.whole().size() + " of " + method.runs().size());
        return row;
    }

    private static boolean tabled(Measure measure) {
        return measure != Measure.TRAIN_ACCURACY && measure != Measure.TRAIN_ERROR;
    }

    private static String text(ComparePlan.Target target) {
        for (Measure measure : List.of(Measure.ACCURACY, Measure.ERROR, Measure.PERPLEXITY, Measure.LOSS)) {
            if (measure.key().equals(target.measure())) {
                return measure.name().replace(" (%)", "") + " "
                        + number(measure.scale() * target.value(), measure.digits())
                        + (measure == Measure.ACCURACY ? " %" : "");
            }
        }
        return Measure.TRAIN_LOSS.name() + " " + target.value();
    }

    private static String text(Sample sample, int digits) {
        if (sample.size() == 0) {
            return "-";
        }
        return number(sample.mean(), digits) + (sample.size() < 2 ? "" : " ± " + number(sample.deviation(), digits));
    }

    private static String number(double value, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    private static String scientific(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.1e", value);
    }

    /** The table as Markdown, for a document. */
    public String markdown() {
        var text = new StringBuilder();
        line(text, head());
        text.append("|").append(" --- |".repeat(head().size())).append('\n');
        rows().forEach(row -> line(text, row));
        return text.toString();
    }

    private static void line(StringBuilder text, List<String> cells) {
        text.append("| ").append(String.join(" | ", cells).replace("\n", " ")).append(" |\n");
    }

    /** Writes {@code report.html}, {@code table.md}, {@code comparison.json}, {@code methods.csv} and {@code points.csv}. */
    public void write(Path folder) {
        AtomicFile.writeText(folder.resolve("table.md"), markdown());
        AtomicFile.writeText(folder.resolve("methods.csv"), methodsCsv());
        AtomicFile.writeText(folder.resolve("points.csv"), pointsCsv());
        AtomicFile.writeText(folder.resolve("comparison.json"), Json.writePretty(toMap()));
        AtomicFile.writeText(folder.resolve("report.html"), new HtmlReport(this).html());
    }

    private String methodsCsv() {
        var csv = new StringBuilder();
        csv(csv, head());
        rows().forEach(row -> csv(csv, row));
        return csv.toString();
    }

    private String pointsCsv() {
        var keys = new LinkedHashSet<String>();
        for (ComparedMethod method : methods) {
            method.runs().values().forEach(run -> run.points().forEach(point -> keys.addAll(point.keySet())));
        }
        keys.remove("kind");
        List<String> head = new ArrayList<>(List.of("method", "seed"));
        head.addAll(keys);
        var csv = new StringBuilder();
        csv(csv, head);
        for (ComparedMethod method : methods) {
            method.runs()
                    .forEach((seed, run) -> run.points().forEach(point -> {
                        List<String> row = new ArrayList<>(List.of(method.label(), String.valueOf(seed)));
                        keys.forEach(key -> row.add(point.containsKey(key) ? String.valueOf(point.get(key)) : ""));
                        csv(csv, row);
                    }));
        }
        return csv.toString();
    }

    /** A line with quotes where RFC 4180 asks for them. */
    private static void csv(StringBuilder csv, List<String> cells) {
        csv.append(String.join(
                        ",",
                        cells.stream()
                                .map(cell -> cell.matches("(?s).*[\",\n\r].*")
                                        ? "\"" + cell.replace("\"", "\"\"") + "\""
                                        : cell)
                                .toList()))
                .append("\r\n");
    }

    /** Everything, as JSON. */
    Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("title", plan.title());
        map.put("budget", plan.budget().toString());
        plan.target().ifPresent(target -> map.put("target", Map.of(target.measure(), target.value())));
        map.put(
                "measures",
                measures.stream()
                        .map(m -> Map.of(
                                "key",
                                m.key(),
                                "name",
                                m.name(),
                                "more",
                                m.more(),
                                "scale",
                                m.scale(),
                                "digits",
                                m.digits()))
                        .toList());
        map.put("methods", methods.stream().map(ComparisonResults::map).toList());
        return map;
    }

    private static Map<String, Object> map(ComparedMethod method) {
        var map = new LinkedHashMap<String, Object>();
        map.put("label", method.label());
        map.put("optimizer", method.entry().config().optimizer().name());
        map.put("init_lr", method.entry().config().optimizer().learningRate());
        map.put(
                "optimizer_kwargs",
                method.entry().config().optimizer().settings().values());
        List<Object> runs = new ArrayList<>();
        method.runs().forEach((seed, outcome) -> {
            var run = new LinkedHashMap<String, Object>(outcome.toMap());
            run.remove("planned");
            run.put("seed", seed);
            run.put("points", outcome.points());
            runs.add(run);
        });
        map.put("runs", runs);
        return map;
    }
}
