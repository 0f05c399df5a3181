package io.kingfisher.train.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report in a browser: where Chromium is installed, its script draws every curve there and complains of nothing. */
class ReportPageTest {
    private static final int METHODS = 11, SEEDS = 3, POINTS = 8;

    @TempDir
    Path folder;

    /** Curves of made-up runs: an accuracy that rises and losses that fall, each method at its own pace. */
    static ComparisonResults results() {
        List<ComparedMethod> methods = new ArrayList<>();
        for (int m = 0; m < METHODS; m++) {
            String label = m == 2 ? "</script><b>\"&'@DATA@" : "method " + m;
            var entry = new ComparePlan.Entry(
                    label, Methods.reader().parse("{dataset: MNIST, network: lenet}", "a.yaml", List.of()));
            var runs = new LinkedHashMap<Long, RunOutcome>();
            for (long seed = 0; seed < SEEDS; seed++) {
                runs.put(seed, outcome(m, seed));
            }
            methods.add(new ComparedMethod(entry, runs));
        }
        var plan = new ComparePlan(
                "LeNet on MNIST, equal seconds",
                new ComparePlan.Budget(ComparePlan.Budget.Unit.SECONDS, 16),
                POINTS,
                1,
                List.of(0L, 1L, 2L),
                Optional.of(new ComparePlan.Target("test_top1", 0.97)),
                methods.stream().map(ComparedMethod::entry).toList(),
                null);
        return new ComparisonResults(plan, methods);
    }

    private static RunOutcome outcome(int method, long seed) {
        boolean diverges = method == 5 && seed == 1;
        List<Map<String, Object>> points = new ArrayList<>();
        for (int k = 1; k <= (diverges ? 2 : POINTS); k++) {
            double error = 0.2 / (1 + (1 + 0.3 * method) * k) * (1 + 0.05 * seed);
            var point = new LinkedHashMap<String, Object>();
            point.put("step", 100L * k);
            point.put("epochs", k * (1 - 0.05 * method));
            point.put("seconds", 2.0 * k + 0.01 * seed);
            point.put("train_loss", 4 * error);
            point.put("train_top1", 1 - 1.1 * error);
            point.put("test_loss", 3 * error);
            point.put("test_top1", 1 - error);
            point.put("step_ms", 3.0 + method);
            point.put("effective_step", 1e-3 * method);
            points.add(point);
        }
        List<Map<String, Object>> health =
                method < 3 ? List.of() : List.of(Map.of("condition", 1e4 * method, "relative_damping", 0.1));
        return new RunOutcome(
                diverges ? "the loss became NaN" : "", Map.of("epochs", 8.0, "state_bytes", 250_000L), health, points);
    }

    @Test
    void refersToNothingOutsideAndHasTheTableWithoutScript() {
        String html = new HtmlReport(results()).html();
        assertFalse(Pattern.compile("(src|href)\\s*=|@import|url\\((?!#)|https?://(?!www\\.w3\\.org/2000/svg)")
                .matcher(html)
                .find());
        assertEquals(METHODS + 1, html.split("<tr>", -1).length - 1);
        assertTrue(html.contains("&lt;/script&gt;&lt;b&gt;&quot;&amp;'&#64;DATA&#64;"));
        assertTrue(html.contains("<li>method 5, seed 1: the loss became NaN</li>"));
        assertEquals(2, html.split("</script>", -1).length - 1, "no label ends the script");
    }

    @Test
    void chromiumDrawsEveryCurve() throws Exception {
        Optional<Path> chromium = chromium();
        assumeTrue(chromium.isPresent(), "no chromium on the PATH: the page is not looked at");
        Path page = folder.resolve("report.html");
        Files.writeString(page, new HtmlReport(results()).html());
        String dom = run(chromium.get(), "--dump-dom", page.toUri().toString());
        // Accuracy and three losses, each against seconds and epochs.
        int charts = 2 * results().measures().size();
        assertEquals(8, charts);
        assertEquals(charts, count(dom, "<svg viewBox=\"0 0 560 330\" role=\"img\""));
        assertEquals(charts * METHODS, count(dom, "class=\"mean\""));
        assertEquals(charts * METHODS, count(dom, "class=\"band\""));
        assertEquals(METHODS, count(dom, "<button type=\"button\" aria-pressed=\"true\">"));
        String charted = dom.substring(dom.indexOf("id=\"charts\""), dom.indexOf("id=\"data\""));
        assertFalse(charted.contains("NaN") || charted.contains("Infinity"), "a coordinate is no number");
        String log = Files.readString(folder.resolve("log"));
        assertFalse(log.contains("Uncaught") || log.contains("CONSOLE"), log);
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }

    private static Optional<Path> chromium() {
        String given = System.getenv("PATH");
        return Stream.of((given == null ? "" : given).split(java.io.File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private String run(Path chromium, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                chromium.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                "--user-data-dir=" + folder.resolve("profile")));
        command.addAll(List.of(args));
        Path out = folder.resolve("out");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("log").toFile())
                .start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(
                    "chromium did not end within a minute: " + Files.readString(folder.resolve("log")));
        }
        assertEquals(0, process.exitValue(), () -> "see " + folder.resolve("log"));
        return Files.readString(out, StandardCharsets.UTF_8);
    }
}
