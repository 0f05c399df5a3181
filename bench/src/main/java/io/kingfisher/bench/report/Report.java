package io.kingfisher.bench.report;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.workload.Machine;
import io.kingfisher.train.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures and writes docs/benchmarks.md: {@code bench/report.sh} starts it. */
@Command(
        name = "report.sh",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures training steps, updates and starts of this engine and of libtorch, each in a JVM of its own, in rounds"
                    + " that take turns, and writes a page with tables and charts."
        })
public final class Report implements Callable<Integer> {
    @Option(names = "--quick", description = "One round of a second each, libtorch in one setting: a trial.")
    private boolean quick;

    @Option(names = "--models", split = ",", paramLabel = "M", description = "Some of the five workloads.")
    private List<String> models = Workload.all().stream().map(Workload::name).toList();

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds; 3, or 1 with --quick.")
    private int rounds;

    @Option(names = "--seconds", paramLabel = "S", description = "Seconds for each measurement; 5, or 1 with --quick.")
    private double seconds;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute (2).")
    private int threads = 2;

    @Option(
            names = "--results",
            paramLabel = "FILE",
            description =
                    "Where the figures go, a line each (bench/results/latest.jsonl; with --quick one under target).")
    private Path results;

    @Option(names = "--append", description = "Keeps what the file of results holds, for a report made in pieces.")
    private boolean append;

    @Option(
            names = "--part",
            split = ",",
            paramLabel = "P",
            description =
                    "steps, singles (updates and starts), rooflines; all unless given. none only writes the page.")
    private List<String> parts = List.of("steps", "singles", "rooflines");

    @Option(
            names = "--output",
            paramLabel = "FOLDER",
            description = "Where benchmarks.md and images/ go (docs; with --quick bench/target/quick).")
    private Path output;

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new Report());
        command.setExecutionExceptionHandler((e, line, _) -> {
            if (!(e instanceof KingfisherException)) {
                throw e;
            }
            line.getErr().println(e.getMessage());
            return 1;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        models.forEach(model -> Workload.of(model, Workload.all()));
        Path target = Path.of("bench", "target", "quick");
        Path file = results != null ? results : (quick ? target : Path.of("bench", "results")).resolve("latest.jsonl");
        Path folder = output != null ? output : quick ? target : Path.of("docs");
        if (!append && !parts.equals(List.of("none"))) {
            Files.deleteIfExists(file);
        }
        measure(new Rounds(
                file, seconds > 0 ? seconds : quick ? 1 : 5, Instant.now().toString()));
        Figures figures = Figures.read(file);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("benchmarks.md"), Page.of(figures, models, threads, about(figures)));
        new Charts(figures, models, threads).write(folder.resolve("images"));
        System.out.println("written: " + folder.resolve("benchmarks.md") + ", from " + file);
        return 0;
    }

    private void measure(Rounds measuring) {
        boolean mkl = mkl();
        int count = rounds > 0 ? rounds : quick ? 1 : 3;
        for (int round = 0; round < count; round++) {
            List<Entry> entries = new ArrayList<>();
            if (parts.contains("steps")) {
                models.forEach(model -> entries.addAll(Plan.round(model, threads, mkl, quick)));
            }
            if (parts.contains("singles")) {
                entries.addAll(Plan.singles(threads));
            }
            if (parts.contains("rooflines") && round == 0) {
                models.forEach(model -> entries.addAll(Plan.rooflines(model, threads)));
            }
            for (Entry entry : entries) {
                measuring.measure(entry, round);
            }
        }
    }

    /** Whether MKL is on the class path (the build's profile mkl). */
    private static boolean mkl() {
        return Report.class.getResource("/org/bytedeco/mkl/linux-x86_64/libmkl_rt.so.2") != null
                || Report.class.getResource("/org/bytedeco/mkl/linux-x86_64/libmkl_rt.so.3") != null;
    }

    /** The version of libtorch's bindings, as Maven leaves it in their jar. */
    private static String version() throws IOException {
        var properties = new Properties();
        try (var in = Report.class.getResourceAsStream("/META-INF/maven/org.bytedeco/pytorch/pom.properties")) {
            if (in != null) {
                properties.load(in);
            }
        }
        return "org.bytedeco:pytorch " + properties.getProperty("version", "of an unknown version");
    }

    private List<String> about(Figures figures) throws IOException {
        Map<String, Object> machine = Machine.describe();
        String libraries;
        try (Device device = Device.open("cpu")) {
            // Where they lie says nothing to others.
            libraries = device.report().stream()
                    .filter(line -> !line.contains(" uses /"))
                    .map(line -> line.replaceAll(" \\(/[^)]*\\)", ""))
                    .collect(Collectors.joining("; "));
        }
        return List.of(
                "Kingfisher beside libtorch (" + version() + ")"
                        + " on the same inputs and initial weights, from Java in both cases. Their losses agree to a"
                        + " thousandth over 20 steps (`EnginesAgreeTest`).",
                String.format(
                        Locale.ROOT,
                        "Machine: %s processors, %s, %s; %s. %s. Measured on %s.",
                        machine.get("processors"),
                        machine.get("cpu"),
                        machine.get("os"),
                        machine.get("java"),
                        libraries,
                        LocalDate.now(ZoneOffset.UTC)),
                "This page is written by `bench/report.sh`" + (quick ? " `--quick`" : "") + " from "
                        + figures.rounds()
                        + " rounds; in a round everything is measured once, in a JVM of its own, one after the other. The"
                        + " figures of every run are in `bench/results`. JMH measures the same steps:"
                        + " `java -jar bench/target/benchmarks.jar TrainingStep -p model=lenet -p threads=1,2 -prof gc`.");
    }
}
