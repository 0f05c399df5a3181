package io.kingfisher.train;

import io.kingfisher.train.compare.ComparisonResults;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.config.ComparePlanReader;
import io.kingfisher.train.config.Setting;
import io.kingfisher.train.methods.Methods;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kingfisher compare PLAN.yaml}. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Trains one network with several optimizers and seeds, each run with the same epochs or the same seconds of"
                    + " training steps, and leaves a report (report.html, which needs no network), tables (CSV, JSON,"
                    + " Markdown) and all measurements in a folder.",
            "",
            "A plan that was interrupted goes on where it stopped when it is started again; runs that are complete are not"
                    + " repeated."
        },
        footer = {
            "",
            "Examples:",
            "  kingfisher compare configs/compare/mnist-lenet.yaml --data ~/mnist",
            "  kingfisher compare configs/compare/mnist-autoencoder.yaml --data ~/mnist --set budget.seconds=60"
        })
final class CompareCommand implements Callable<Integer> {
    @Parameters(paramLabel = "PLAN.yaml", description = "What to compare: see configs/compare.")
    private Path file;

    @Option(names = "--data", paramLabel = "DIR", description = "The folder, zip or text file of the data set.")
    private Path data;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Where results go and interrupted ones are looked for; runs/NAME-OF-THE-PLAN unless given.")
    private Path output;

    @Option(names = "--device", paramLabel = "D", description = "Where to compute: cuda:0, cpu, or auto.")
    private String device;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all processors unless given.")
    private String threads;

    @Option(
            names = "--set",
            paramLabel = "key=value",
            description = "Sets any key of the plan, such as budget.seconds=60; can be repeated.")
    private List<String> sets = List.of();

    @Override
    public Integer call() {
        ComparePlan plan = new ComparePlanReader(Methods.reader()).load(file, settings());
        String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
        Path folder = output != null ? output : Path.of("runs", name);
        ComparisonResults results = new Comparison(plan, folder).run();
        results.write(folder);
        System.out.println();
        System.out.print(results.markdown());
        System.out.println();
        System.out.println("report: " + folder.resolve("report.html"));
        return 0;
    }

    private List<Setting> settings() {
        List<Setting> settings = new ArrayList<>();
        sets.forEach(set -> settings.add(Setting.set(set)));
        option(settings, "--data", "task.data", data == null ? null : data.toString());
        option(settings, "--device", "task.device", device);
        option(settings, "--threads", "task.threads", threads);
        return settings;
    }

    private static void option(List<Setting> settings, String option, String key, String value) {
        if (value != null) {
            settings.add(Setting.option(option, key, value));
        }
    }
}
