package io.kingfisher.train.selftest;

import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.selftest.Check.Finding;
import io.kingfisher.train.selftest.Check.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Runs the checks one after another and sums them up in a table. */
public final class Selftest {
    private record Row(String name, String result, double seconds, String detail) {}

    private final Target target;
    private final List<Check> checks;
    private final List<Row> rows = new ArrayList<>();

    private Selftest(Target target, List<Check> checks) {
        this.target = target;
        this.checks = checks;
    }

    /**
     * All checks, or those whose name contains a word.
     *
     * @param device which device, such as {@code cuda:0}
     * @param options how it is opened
     * @param only what a check's name contains, or nothing for all of them
     * @param log told of each failing case of the conformance suite as soon as it is known
     */
    public static Selftest of(String device, DeviceOptions options, String only, Consumer<String> log) {
        List<Check> checks = new ArrayList<>();
        checks.add(new Check("operations against plain Java", false, t -> OperationChecks.conformance(t, log)));
        checks.addAll(ReplayChecks.all());
        checks.addAll(PrecisionChecks.all());
        checks.addAll(RefusalChecks.all());
        return new Selftest(
                new Target(device, options),
                checks.stream().filter(c -> c.name().contains(only)).toList());
    }

    /** Runs them and says whether none failed and at least one ran. */
    public boolean run(Consumer<String> log) {
        boolean good = true, ran = false;
        for (Check check : checks) {
            if (check.gpuOnly() && !target.gpu()) {
                rows.add(new Row(check.name(), "-", 0, "only GPUs capture programs"));
                continue;
            }
            log.accept("... " + check.name());
            long began = System.nanoTime();
            Finding finding;
            try {
                finding = check.body().apply(target);
            } catch (RuntimeException | Error e) {
                finding = Finding.failed(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
            good &= finding.passed();
            ran = true;
            double seconds = (System.nanoTime() - began) / 1e9;
            rows.add(new Row(check.name(), finding.passed() ? "ok" : "FAILED", seconds, finding.detail()));
        }
        return good && ran;
    }

    /** One line for each check. */
    public List<String> table() {
        int width = rows.stream().mapToInt(row -> row.name().length()).max().orElse(0);
        return rows.stream()
                .map(row -> String.format(
                        Locale.ROOT,
                        "%-" + Math.max(width, 1) + "s  %-6s  %6.1f s  %s",
                        row.name(),
                        row.result(),
                        row.seconds(),
                        row.detail()))
                .toList();
    }
}
