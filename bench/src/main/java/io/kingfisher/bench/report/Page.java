package io.kingfisher.bench.report;

import static io.kingfisher.bench.step.Engines.OURS;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.train.workload.Roofline;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The text of docs/benchmarks.md. */
final class Page {
    /** Steps from one refresh of the curvature to the next. */
    private static final int INTERVAL = 100;

    private static final int OPS = 8, OP_WIDTH = 90;

    private final Figures figures;
    private final List<String> models;
    private final int threads;
    private final StringBuilder text = new StringBuilder();

    private Page(Figures figures, List<String> models, int threads) {
        this.figures = figures;
        this.models = models;
        this.threads = threads;
    }

    /**
     * The page.
     *
     * @param about what was measured on what, by which commands; a paragraph each
     */
    static String of(Figures figures, List<String> models, int threads, List<String> about) {
        Page page = new Page(figures, models, threads);
        page.line("# Benchmarks\n");
        about.forEach(paragraph -> page.line(paragraph + "\n"));
        page.sgd();
        page.optimizers();
        page.updates();
        page.memory();
        page.start();
        page.rooflines();
        page.settings();
        return page.text.toString();
    }

    private void line(String line) {
        text.append(line).append('\n');
    }

    private void row(Object... cells) {
        text.append('|');
        for (Object cell : cells) {
            text.append(' ').append(cell).append(" |");
        }
        text.append('\n');
    }

    private void head(String... cells) {
        row((Object[]) cells);
        text.append("|").append(" --- |".repeat(cells.length)).append('\n');
    }

    private static String number(double value) {
        return Double.isNaN(value)
                ? "-"
                : String.format(
                        Locale.ROOT,
                        value >= 1000 ? "%.0f" : value >= 100 ? "%.1f" : value >= 1 ? "%.2f" : "%.3f",
                        value);
    }

    private static String ratio(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }

    /** Whether a figure is within its bar, and by how much not. */
    private static String met(double value, double most) {
        return Double.isNaN(value)
                ? "-"
                : value <= most ? "yes" : String.format(Locale.ROOT, "**no**, by %.1f %%", 100 * (value / most - 1));
    }

    Entry ours(String model, Rule rule, Refresh refresh) {
        return Entry.step(OURS, model, rule, refresh, threads);
    }

    private double ours(String model, Rule rule, Refresh refresh, String key) {
        return figures.median(ours(model, rule, refresh), key);
    }

    private double libtorch(String model, Rule rule, Refresh refresh, String key) {
        return figures.libtorch(What.STEP, model, rule, refresh, threads)
                .map(entry -> figures.median(entry, key))
                .orElse(Double.NaN);
    }

    private void sgd() {
        line("## A training step with SGD\n");
        line(
                "Input copied in, forward, loss, backward, update, loss read back; median of the rounds' medians in ms. libtorch"
                        + " is the fastest of the settings at the end of this page.\n");
        line("![Times relative to libtorch](images/steps.svg)\n");
        for (int count : threads == 1 ? new int[] {1} : new int[] {threads, 1}) {
            if (models.stream()
                    .noneMatch(model -> figures.libtorch(What.STEP, model, Rule.SGD, Refresh.SCHEDULED, count)
                            .isPresent())) {
                continue;
            }
            line(count + (count == 1 ? " thread:\n" : " threads:\n"));
            head("workload", "ours", "ours, p99", "libtorch", "its setting", "ours / libtorch", "at most", "met");
            for (String model : models) {
                Entry ours = Entry.step(OURS, model, Rule.SGD, Refresh.SCHEDULED, count);
                Optional<Entry> theirs = figures.libtorch(What.STEP, model, Rule.SGD, Refresh.SCHEDULED, count);
                if (theirs.isPresent()) {
                    double ratio = figures.millis(ours) / figures.millis(theirs.get());
                    boolean barred = count == threads && threads > 1;
                    row(
                            model,
                            number(figures.millis(ours)),
                            number(figures.median(ours, "p99_ms")),
                            number(figures.millis(theirs.get())),
                            theirs.get().engine(),
                            ratio(ratio),
                            barred ? Bars.sgd(model) : "",
                            barred ? met(ratio, Bars.sgd(model)) : "");
                }
            }
            line("");
        }
    }

    /** A step with AdaFisher in the mean, the refreshes taken in. */
    double adaFisher(String model) {
        double without = figures.millis(ours(model, Rule.ADAFISHER, Refresh.NEVER));
        double with = figures.millis(ours(model, Rule.ADAFISHER, Refresh.ALWAYS));
        return without + (with - without) / INTERVAL;
    }

    private void optimizers() {
        line("## Optimizers\n");
        line("Steps in ms. AdaFisher (AdaFisherW for gpt-mini) refreshes its curvature every " + INTERVAL
                + " steps; its mean step is one without a refresh and a hundredth of what a refresh adds.\n");
        line("![Steps relative to SGD](images/optimizers.svg)\n");
        head(
                "workload",
                "SGD",
                "AdamW",
                "AdaFisher, no refresh",
                "with refresh",
                "a refresh / step",
                "mean AdaFisher / SGD",
                "at most",
                "met",
                "libtorch AdamW, fused",
                "libtorch AdaFisher, no refresh",
                "with refresh");
        for (String model : models) {
            double sgd = ours(model, Rule.SGD, Refresh.SCHEDULED, "p50_ms");
            double without = ours(model, Rule.ADAFISHER, Refresh.NEVER, "p50_ms");
            double with = ours(model, Rule.ADAFISHER, Refresh.ALWAYS, "p50_ms");
            double mean = adaFisher(model) / sgd;
            row(
                    model,
                    number(sgd),
                    number(ours(model, Rule.ADAMW, Refresh.SCHEDULED, "p50_ms")),
                    number(without),
                    number(with),
                    ratio(with / without - 1),
                    ratio(mean),
                    Bars.adaFisher(model),
                    met(mean, Bars.adaFisher(model)),
                    number(libtorch(model, Rule.ADAMW, Refresh.SCHEDULED, "p50_ms")),
                    number(libtorch(model, Rule.ADAFISHER, Refresh.NEVER, "p50_ms")),
                    number(libtorch(model, Rule.ADAFISHER, Refresh.ALWAYS, "p50_ms")));
        }
        line("");
        if (models.contains(Plan.UPDATED)) {
            double refresh = ours(Plan.UPDATED, Rule.ADAFISHER, Refresh.ALWAYS, "p50_ms")
                            / ours(Plan.UPDATED, Rule.ADAFISHER, Refresh.NEVER, "p50_ms")
                    - 1;
            line("A refresh of all factors of " + Plan.UPDATED + " costs " + number(100 * refresh)
                    + " % of a step; at most " + 100 * Bars.REFRESH + " %: " + met(refresh, Bars.REFRESH) + ".\n");
        }
    }

    /** Bytes a second of a copy: the better of a plain copy and of the elementwise engine's. */
    private double copy() {
        double copied = figures.median(
                new Entry(What.COPY, OURS, Plan.UPDATED, Rule.SGD, Refresh.NEVER, threads), "bytes_per_second");
        double mapped = models.stream()
                .flatMap(model -> Plan.rooflines(model, threads).stream())
                .mapToDouble(entry -> 1e9 * figures.median(entry, "copy_gb_s"))
                .filter(Double::isFinite)
                .max()
                .orElse(Double.NaN);
        return Double.isNaN(mapped) ? copied : Math.max(copied, mapped);
    }

    private void updates() {
        Entry adaFisher = update(Rule.ADAFISHER);
        if (figures.records(adaFisher).isEmpty()) {
            return;
        }
        double copy = copy();
        line("## The update alone\n");
        line(String.format(
                Locale.ROOT,
                "All %.1f million parameters of %s, gradients given. A copy of 128 MiB reads and writes %.1f GB/s.%n",
                figures.median(adaFisher, "parameters") / 1e6,
                Plan.UPDATED,
                copy / 1e9));
        line("![The update alone](images/updates.svg)\n");
        head("optimizer", "ours, ms", "GB/s", "share of the copy", "at least", "libtorch, ms", "libtorch / ours");
        for (Rule rule : Rule.values()) {
            double millis = figures.millis(update(rule));
            double rate = figures.median(update(rule), "bytes") / (millis / 1e3);
            double theirs = figures.libtorch(What.UPDATE, Plan.UPDATED, rule, Refresh.NEVER, threads)
                    .map(figures::millis)
                    .orElse(Double.NaN);
            row(
                    label(rule),
                    number(millis),
                    number(rate / 1e9),
                    ratio(rate / copy),
                    rule == Rule.SGD ? "" : Bars.UPDATE_SHARE,
                    number(theirs),
                    ratio(theirs / millis) + (rule == Rule.ADAFISHER ? " (at least " + Bars.UPDATE_RATIO + ")" : ""));
        }
        line("");
        double against = figures.millis(adaFisher) / figures.millis(update(Rule.ADAMW));
        line("AdaFisher's update takes " + ratio(against) + " of AdamW's time; at most 1: " + met(against, 1) + ".\n");
    }

    Entry update(Rule rule) {
        return new Entry(What.UPDATE, OURS, Plan.UPDATED, rule, Refresh.NEVER, threads);
    }

    static String label(Rule rule) {
        return switch (rule) {
            case SGD -> "SGD";
            case ADAMW -> "AdamW";
            case ADAFISHER -> "AdaFisher";
        };
    }

    private void memory() {
        line("## Memory, calls and the heap\n");
        line(
                "The most resident memory of the process (VmHWM) in MiB, everything included: the JVM, libraries, the workload's"
                        + " synthetic batches. libtorch's is the least of its settings. Calls into native libraries and bytes"
                        + " allocated on the Java heap are those of a step of ours.\n");
        head("workload", "SGD, ours", "libtorch", "met", "AdaFisher, ours", "libtorch", "native calls", "heap bytes");
        for (String model : models) {
            double ours = ours(model, Rule.SGD, Refresh.SCHEDULED, "peak_mib");
            double theirs = figures.settings(model, Rule.SGD, Refresh.SCHEDULED, threads).stream()
                    .mapToDouble(entry -> figures.median(entry, "peak_mib"))
                    .min()
                    .orElse(Double.NaN);
            row(
                    model,
                    number(ours),
                    number(theirs),
                    met(ours, theirs),
                    number(ours(model, Rule.ADAFISHER, Refresh.ALWAYS, "peak_mib")),
                    number(libtorch(model, Rule.ADAFISHER, Refresh.ALWAYS, "peak_mib")),
                    number(ours(model, Rule.SGD, Refresh.SCHEDULED, "native_calls")),
                    number(ours(model, Rule.SGD, Refresh.SCHEDULED, "heap_bytes")));
        }
        line("");
    }

    private void start() {
        Entry cold = new Entry(What.COLD, OURS, Plan.COLD, Rule.SGD, Refresh.SCHEDULED, threads);
        if (figures.records(cold).isEmpty()) {
            return;
        }
        double millis = figures.millis(cold);
        line("## Cold start\n");
        line("From the start of the JVM to the end of the process after the first step of " + Plan.COLD + ": "
                + number(millis) + " ms; at most " + number(Bars.COLD_MILLIS) + ": " + met(millis, Bars.COLD_MILLIS)
                + ". libtorch takes "
                + number(figures.libtorch(What.COLD, Plan.COLD, Rule.SGD, Refresh.SCHEDULED, threads)
                        .map(figures::millis)
                        .orElse(Double.NaN))
                + " ms.\n");
    }

    private void rooflines() {
        line("## Where the time goes\n");
        line(
                "The ops that are furthest above their floor, which is the longer of the times that their products take at the"
                        + " measured peak of sgemm and their bytes at the measured copy bandwidth. The whole list:"
                        + " `./kingfisher bench --roofline --model MODEL`.\n");
        for (String model : models) {
            for (Entry entry : Plan.rooflines(model, threads)) {
                List<Map<String, Object>> records = figures.records(entry);
                if (!records.isEmpty()) {
                    roofline(entry, records.get(records.size() - 1));
                }
            }
        }
    }

    private void roofline(Entry entry, Map<String, Object> record) {
        line(String.format(
                Locale.ROOT,
                "### %s, %s%s%n",
                entry.model(),
                label(entry.rule()),
                entry.refresh() == Refresh.ALWAYS ? " with a refresh" : ""));
        line(String.format(
                Locale.ROOT,
                "All ops together %.1f us, their floors %.1f us (sgemm %.1f GFLOP/s, copy %.1f GB/s); a replay %.1f us.%n",
                real(record, "ops_us"),
                real(record, "floor_us"),
                real(record, "gemm_gflop_s"),
                real(record, "copy_gb_s"),
                real(record, "replay_us")));
        head("us", "floor", "gap", "GFLOP", "Mbyte", "of sgemm", "of copy", "op");
        List<?> ops = (List<?>) record.get("ops");
        for (Object each : ops.subList(0, Math.min(OPS, ops.size()))) {
            @SuppressWarnings("unchecked")
            var op = (Map<String, Object>) each;
            String layer = (String) op.get("layer"), what = Roofline.brief((String) op.get("op"));
            String name = (layer.isEmpty() ? "" : layer + ": ") + what.replace("|", "\\|");
            row(
                    number(real(op, "us")),
                    number(real(op, "floor_us")),
                    number(real(op, "gap_us")),
                    number(real(op, "gflop")),
                    number(real(op, "mbytes")),
                    Math.round(100 * real(op, "share_of_gemm")) + " %",
                    Math.round(100 * real(op, "share_of_copy")) + " %",
                    "`" + (name.length() > OP_WIDTH ? name.substring(0, OP_WIDTH - 3) + "..." : name) + "`");
        }
        line("");
    }

    private static double real(Map<String, Object> record, String key) {
        return ((Number) record.get(key)).doubleValue();
    }

    private void settings() {
        line("## libtorch's settings\n");
        line("SGD, " + threads
                + " threads, ms. MKL or OpenBLAS for products, images as N C H W or channels last, one fused"
                + " operator for the update or one operation after the other.\n");
        head("workload", "setting", "median", "p99", "peak MiB");
        for (String model : models) {
            for (Entry entry : figures.settings(model, Rule.SGD, Refresh.SCHEDULED, threads)) {
                row(
                        model,
                        entry.engine(),
                        number(figures.millis(entry)),
                        number(figures.median(entry, "p99_ms")),
                        number(figures.median(entry, "peak_mib")));
            }
        }
    }
}
