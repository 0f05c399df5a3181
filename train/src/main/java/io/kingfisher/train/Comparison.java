package io.kingfisher.train;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.checkpoint.AtomicFile;
import io.kingfisher.train.compare.ComparedMethod;
import io.kingfisher.train.compare.ComparisonResults;
import io.kingfisher.train.compare.RunOutcome;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.report.MetricsLog;
import io.kingfisher.train.report.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * All runs of a plan, seed by seed, so that what changes on a machine in the meantime meets all methods. A run that is complete
 * is never repeated; one that was killed goes on.
 */
final class Comparison {
    private static final String OUTCOME = "outcome.json";

    /** The parts of the progress that one run is. */
    private static final long PARTS = 1000;

    /** One run: of which entry, with what, and where its files are. */
    private record Task(ComparePlan.Entry entry, RunConfig config, Path folder) {
        long seed() {
            return config.training().seed();
        }

        String name() {
            return entry.label() + ", seed " + seed();
        }
    }

    private final ComparePlan plan;
    private final Path output;
    private final List<Task> tasks = new ArrayList<>();

    Comparison(ComparePlan plan, Path output) {
        this.plan = plan;
        this.output = output;
        Map<String, String> folders = new TreeMap<>();
        for (ComparePlan.Entry entry : plan.entries()) {
            String folder = entry.label().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
            String other = folders.put(folder, entry.label());
            if (other != null) {
                throw plan.source()
                        .error(
                                "methods." + entry.label(),
                                "and '" + other + "' would have one folder; give names that differ in letters or"
                                        + " digits.");
            }
        }
        for (long seed : plan.seeds()) {
            for (ComparePlan.Entry entry : plan.entries()) {
                String folder = entry.label().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
                tasks.add(new Task(
                        entry,
                        entry.config().withSeed(seed),
                        output.resolve("runs").resolve(folder).resolve("seed-" + seed)));
            }
        }
    }

    /** Makes the runs that are not complete and returns what came out of all. */
    ComparisonResults run() {
        long complete = tasks.stream().filter(this::isComplete).count();
        try (Progress progress = Progress.openShares(PARTS * complete, PARTS * tasks.size())) {
            progress.line(plan.title() + ": " + plan.entries().size() + " methods, "
                    + plan.seeds().size() + (plan.seeds().size() == 1 ? " seed, " : " seeds, ") + plan.budget()
                    + " a run"
                    + (complete == 0 ? "" : "; " + complete + " of " + tasks.size() + " runs are complete already"));
            for (Task task : tasks) {
                if (!isComplete(task)) {
                    run(task, complete, progress);
                    complete++;
                }
            }
        }
        return results();
    }

    private void run(Task task, long complete, Progress progress) {
        progress.begin(task.name() + " (" + (complete + 1) + "/" + tasks.size() + ")", 0, PARTS * tasks.size());
        var listener = new ComparedRun.Listener() {
            @Override
            public void step(double share, double loss, double accuracy, double stepMillis) {
                progress.step(PARTS * complete + Math.round(PARTS * share), loss, accuracy, stepMillis);
            }

            @Override
            public void note(String text) {
                progress.line(task.name() + ": " + text);
            }
        };
        RunOutcome outcome;
        try {
            outcome = new ComparedRun(
                            plan,
                            task.config(),
                            task.folder(),
                            asked -> Experiment.device(asked, false),
                            listener,
                            ComparedRun.SAVE_NANOS)
                    .run();
        } catch (KingfisherException e) {
            if (Files.notExists(task.folder().resolve(RunOutcome.POINTS))) {
                throw e; // it never began: a mistake in the plan, which ends it
            }
            outcome = new RunOutcome(
                    e.getMessage(),
                    Map.of(),
                    List.of(),
                    MetricsLog.read(task.folder().resolve(RunOutcome.POINTS)));
        }
        var map = new LinkedHashMap<String, Object>();
        map.put("label", task.entry().label());
        map.put("seed", task.seed());
        map.putAll(outcome.toMap());
        map.put("planned", planned(task));
        AtomicFile.writeText(task.folder().resolve(OUTCOME), Json.writePretty(map));
        delete(task.folder().resolve("checkpoints"));
        progress.line(task.name() + ": " + ComparisonResults.line(outcome));
    }

    /** What decides how a run goes; two that agree in it are the same run. */
    private Map<String, Object> planned(Task task) {
        var map = new LinkedHashMap<String, Object>();
        map.put("budget", plan.budget().toString());
        map.put("points", (long) plan.points());
        map.put("config", task.config().settings());
        return map;
    }

    /** Whether a run has its outcome, which must be that of the same plan. */
    private boolean isComplete(Task task) {
        Path file = task.folder().resolve(OUTCOME);
        if (Files.notExists(file)) {
            return false;
        }
        try {
            Object before = read(file).get("planned");
            if (!Json.parse(Json.write(planned(task))).equals(before)) {
                throw new KingfisherException(
                        file + ": this run was made by another plan; name another --output, or delete " + task.folder()
                                + " to make it anew.");
            }
            return true;
        } catch (IOException e) {
            throw new KingfisherException(
                    file + ": cannot be read: " + e.getMessage() + "; delete it to repeat the run.", e);
        }
    }

    private static Map<String, Object> read(Path file) throws IOException {
        return Json.parseObject(Files.readString(file));
    }

    private ComparisonResults results() {
        List<ComparedMethod> methods = new ArrayList<>();
        for (ComparePlan.Entry entry : plan.entries()) {
            var runs = new LinkedHashMap<Long, RunOutcome>();
            for (Task task : tasks) {
                if (task.entry().equals(entry)) {
                    runs.put(task.seed(), outcome(task));
                }
            }
            methods.add(new ComparedMethod(entry, runs));
        }
        return new ComparisonResults(plan, methods);
    }

    private static RunOutcome outcome(Task task) {
        Path file = task.folder().resolve(OUTCOME);
        try {
            Map<String, Object> map = read(file);
            List<Map<String, Object>> health = new ArrayList<>();
            for (Object layer : (List<?>) map.get("health")) {
                health.add(Json.object(layer));
            }
            return new RunOutcome(
                    (String) map.get("failure"),
                    map,
                    health,
                    MetricsLog.read(task.folder().resolve(RunOutcome.POINTS)));
        } catch (IOException | ClassCastException e) {
            throw new KingfisherException(
                    file + ": cannot be read: " + e.getMessage() + "; delete it to repeat the run.", e);
        }
    }

    private static void delete(Path folder) {
        if (Files.notExists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new KingfisherException(folder + ": cannot be removed: " + e + ".", e);
        }
    }

    Path output() {
        return output;
    }
}
