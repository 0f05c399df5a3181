package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.compare.RunOutcome;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.config.ComparePlanReader;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Methods;
import io.kingfisher.train.report.MetricsLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plans as a user runs them: equal budgets, nothing done twice, mistakes named. */
class CompareCommandTest {
    private static final String PLAN = """
            title: Two & <three>
            seeds: [4, 9]
            points: 3
            warmup_seconds: 0.01
            budget: {epochs: 2}
            target: {test_accuracy: 0.05}
            task:
              dataset: glyphs
              train_size: 160
              test_size: 40
              network: mlp-small
              model: {hidden: [8]}
              mini_batch_size: 32
              scheduler: CosineAnnealingLR
              device: cpu
              threads: 1
            methods:
              SGD: {init_lr: 0.1, optimizer_kwargs: {momentum: 0.9}}
              K-FAC:
                optimizer: KFAC
                init_lr: 0.03
                optimizer_kwargs: {TCov: 2, TInv: 4}
            """;

    @TempDir
    Path folder;

    private CommandLineRun compare(String yaml, String... more) throws IOException {
        Path file = folder.resolve("plan.yaml");
        Files.writeString(file, yaml);
        List<String> args = new ArrayList<>(List.of(
                "compare", file.toString(), "--output", folder.resolve("out").toString()));
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray(String[]::new));
    }

    private Path run(String method, int seed) {
        return folder.resolve("out/runs").resolve(method).resolve("seed-" + seed);
    }

    private List<Map<String, Object>> points(String method, int seed) {
        return MetricsLog.read(run(method, seed).resolve(RunOutcome.POINTS));
    }

    @Test
    void equalEpochsAndNothingTwice() throws IOException {
        CommandLineRun first = compare(PLAN);
        assertEquals(0, first.code(), first.text());
        for (String method : List.of("sgd", "k-fac")) {
            for (int seed : new int[] {4, 9}) {
                List<Map<String, Object>> points = points(method, seed);
                // 10 steps in all: a third of them is over after 4, 7 and 10.
                assertEquals(
                        List.of(4L, 7L, 10L),
                        points.stream().map(point -> point.get("step")).toList());
                assertEquals(2.0, points.getLast().get("epochs"));
                for (Map<String, Object> point : points) {
                    double step = (double) point.get("effective_step");
                    assertTrue(step > 0 && step < 10, point.toString());
                }
                assertFalse(Files.exists(run(method, seed).resolve("checkpoints")));
            }
        }
        Map<String, Object> outcome =
                Json.parseObject(Files.readString(run("k-fac", 4).resolve("outcome.json")));
        List<?> health = (List<?>) outcome.get("health");
        assertEquals(2, health.size());
        assertTrue(Json.real(Json.object(health.getFirst()).get("condition")) > 1);
        for (String file : List.of("report.html", "table.md", "methods.csv", "points.csv", "comparison.json")) {
            assertTrue(Files.size(folder.resolve("out").resolve(file)) > 0, file);
        }
        assertEquals(
                1 + 2 * 2 * 3,
                Files.readAllLines(folder.resolve("out/points.csv")).size());
        assertTrue(first.text().contains("| K-FAC | "), first.text());
        assertTrue(first.text().contains("| 2 of 2 |"), first.text());
        assertTrue(first.text().contains("seconds to test accuracy 5.00 %"), first.text());

        String page = Files.readString(folder.resolve("out/report.html"));
        assertTrue(page.contains("<h1>Two &amp; &lt;three&gt;</h1>"));
        assertFalse(page.matches("(?s).*(src|href)=.*") || page.contains("@import") || page.contains("url(h"));

        FileTime before = Files.getLastModifiedTime(run("sgd", 4).resolve("outcome.json"));
        CommandLineRun second = compare(PLAN.replace("[4, 9]", "[4, 9, 11]"));
        assertEquals(0, second.code(), second.text());
        assertTrue(second.text().contains("4 of 6 runs are complete already"), second.text());
        assertEquals(before, Files.getLastModifiedTime(run("sgd", 4).resolve("outcome.json")));
        assertEquals(3, points("sgd", 11).size());

        CommandLineRun other = compare(PLAN.replace("init_lr: 0.1", "init_lr: 0.2"));
        assertEquals(1, other.code());
        assertTrue(other.text().contains("was made by another plan"), other.text());
    }

    @Test
    void equalSecondsWithTheScheduleEndingThere() throws IOException {
        CommandLineRun run = compare(PLAN.replace("{epochs: 2}", "{seconds: 0.2}"));
        assertEquals(0, run.code(), run.text());
        for (String method : List.of("sgd", "k-fac")) {
            List<Map<String, Object>> points = points(method, 9);
            double seconds = (double) points.getLast().get("seconds");
            Map<String, Object> outcome =
                    Json.parseObject(Files.readString(run(method, 9).resolve("outcome.json")));
            assertEquals(seconds, outcome.get("seconds"));
            assertTrue(seconds >= 0.2, "ended after " + seconds);
            double initial = method.equals("sgd") ? 0.1 : 0.03;
            for (int i = 0; i < points.size(); i++) {
                // A rate is that of the share before its step, which lies between the evaluation before and this one.
                double rate = (double) points.get(i).get("lr");
                assertTrue(rate >= initial * cosine(points.get(i)) - 1e-6 * initial);
                assertTrue(i == 0 || rate <= initial * cosine(points.get(i - 1)) + 1e-6 * initial);
            }
        }
    }

    private static double cosine(Map<String, Object> point) {
        return (1 + Math.cos(Math.PI * Math.min(1, (double) point.get("seconds") / 0.2))) / 2;
    }

    @Test
    void ratesAreAFunctionOfTheShareOfTheBudget() {
        RunConfig config = Methods.reader()
                .parse(
                        "{dataset: a, network: b, optimizer: SGD, init_lr: 2, scheduler: CosineAnnealingLR}",
                        "a.yaml",
                        List.of());
        LearningRate rate = LearningRate.ofShares(config, 100);
        assertEquals(2, rate.at(0.0, 0));
        assertEquals(1, rate.at(0.5, 12345), 1e-9);
        assertEquals(0, rate.at(1.0, 3), 1e-12);
        assertEquals(0, rate.at(1.7, 3), 1e-12);
        RunConfig steps = Methods.reader()
                .parse(
                        "{dataset: a, network: b, scheduler: StepLR, scheduler_kwargs: {step_size: 3}}",
                        "a.yaml",
                        List.of());
        var error = assertThrows(RuntimeException.class, () -> LearningRate.ofShares(steps, 100));
        assertTrue(error.getMessage().contains("a.yaml:1: scheduler: StepLR has lengths"), error.getMessage());
    }

    /** A run that was killed between two evaluations ends with the measurements of one that was not. */
    @Test
    void aKilledRunGoesOn() throws IOException {
        Path file = folder.resolve("plan.yaml");
        Files.writeString(file, PLAN.replace("epochs: 2", "epochs: 4").replace("points: 3", "points: 6"));
        ComparePlan plan = new ComparePlanReader(Methods.reader()).load(file, List.of());
        for (ComparePlan.Entry entry : plan.entries()) {
            Path whole = folder.resolve(entry.label() + "-whole"), broken = folder.resolve(entry.label() + "-broken");
            RunOutcome expected = run(plan, entry, whole, 2);
            assertThrows(IllegalStateException.class, () -> run(plan, entry, broken, 0.6));
            assertTrue(Files.exists(broken.resolve("checkpoints/last.safetensors")));
            RunOutcome resumed = run(plan, entry, broken, 2);
            assertEquals(withoutClocks(expected.points()), withoutClocks(resumed.points()), entry.label());
            assertEquals(20L, resumed.facts().get("steps"));
            assertEquals(expected.health(), resumed.health());
        }
    }

    private static RunOutcome run(ComparePlan plan, ComparePlan.Entry entry, Path folder, double killedAt) {
        var listener = new ComparedRun.Listener() {
            @Override
            public void step(double share, double loss, double accuracy, double stepMillis) {
                if (share >= killedAt) {
                    throw new IllegalStateException("killed");
                }
            }

            @Override
            public void note(String text) {}
        };
        return new ComparedRun(
                        plan,
                        entry.config().withSeed(4),
                        folder,
                        config -> Experiment.device(config, false),
                        listener,
                        0)
                .run();
    }

    private static List<Map<String, Object>> withoutClocks(List<Map<String, Object>> points) {
        return points.stream()
                .<Map<String, Object>>map(point -> {
                    var copy = new LinkedHashMap<>(point);
                    copy.keySet().removeAll(List.of("seconds", "step_ms", "step_ms_p50"));
                    return copy;
                })
                .toList();
    }

    @Test
    void aMethodThatDivergesIsReportedAndTheOthersGoOn() throws IOException {
        CommandLineRun run =
                compare(PLAN.replace("init_lr: 0.1", "init_lr: 1e30").replace("[4, 9]", "[4]"));
        assertEquals(0, run.code(), run.text());
        assertTrue(run.text().contains("SGD, seed 4: did not reach the end: the loss became"), run.text());
        assertTrue(run.text().contains("| SGD | - |") && run.text().contains("| 0 of 1 |"), run.text());
        assertTrue(run.text().contains("| 1 of 1 |"), run.text());
    }

    @Test
    void mistakesAreNamedWithTheirLine() throws IOException {
        check("methods:", "method:", "plan.yaml:17: method: 'method' is not known; did you mean 'methods'?");
        check(
                "TCov: 2",
                "TCof: 2",
                "plan.yaml:22: optimizer_kwargs.TCof: KFAC has no key 'TCof'; did you mean 'TCov'?");
        check("optimizer: KFAC", "optimizer: KFACC", "plan.yaml:20: optimizer: 'KFACC' is not known");
        check("network: mlp-small", "network: mlp-smal", "plan.yaml:11: network: 'mlp-smal' is not known");
        check("{epochs: 2}", "{epochs: 2, seconds: 3}", "plan.yaml:5: budget: give either seconds or epochs.");
        check("  device: cpu", "  seed: 3", "plan.yaml:15: task.seed: is the plan's");
        check("init_lr: 0.03", "dataset: mnist", "methods.K-FAC.dataset: is not a key in which methods may differ");
        check("K-FAC:", "sgd:", "and 'SGD' would have one folder");
        check("test_accuracy", "accuracy", "target.accuracy: target has no key 'accuracy'");
    }

    private void check(String good, String bad, String expected) throws IOException {
        CommandLineRun run = compare(PLAN.replace(good, bad));
        assertEquals(1, run.code(), run.text());
        assertTrue(run.text().contains(expected), run.text());
    }
}
