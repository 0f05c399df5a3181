package io.kingfisher.train;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.workload.Machine;
import io.kingfisher.train.workload.Measurement;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.Roofline;
import io.kingfisher.train.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kingfisher bench}: what training steps take on a device. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures training steps of known models on made-up data, beside what the device reaches at best in a copy and"
                    + " in a matrix product, and writes all figures as JSON.",
            "bench/peers/torch_bench.py measures the same with PyTorch; bench/peers/compare.py prints the ratios."
        })
final class BenchCommand implements Callable<Integer> {
    /** For each kind of step with --costs, once it has been timed. */
    private static final double SECONDS = 3;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(names = "--device", paramLabel = "D", description = "Which device: cuda:0, or cpu (the default).")
    private String device = "cpu";

    @Option(names = "--json", paramLabel = "FILE", description = "Where the figures go.")
    private Path json;

    @Option(
            names = {"--models", "--model"},
            split = ",",
            paramLabel = "M",
            description =
                    "mlp-small, mlp-large, lenet, resnet18-cifar, gpt-mini, and update (the update alone); all unless given.")
    private List<String> models = List.of("mlp-small", "mlp-large", "lenet", "resnet18-cifar", "gpt-mini", "update");

    @Option(
            names = "--optimizers",
            split = ",",
            paramLabel = "O",
            description = "SGD, AdamW, AdaFisher unless given; any that a configuration can name, with its defaults or"
                    + " with settings, as KFAC:TCov=10:TInv=10.")
    private List<String> optimizers = List.of("SGD", "AdamW", "AdaFisher");

    @Option(
            names = "--precision",
            split = ",",
            paramLabel = "P",
            description =
                    "fp32, tf32 (GPUs only), bf16, fp16; fp32,tf32,bf16 on a GPU and fp32 elsewhere unless given.")
    private List<String> precisions;

    @Option(names = "--steps", paramLabel = "N", description = "Steps to time of each; 200 on a GPU, 20 elsewhere.")
    private int steps;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all processors unless given.")
    private int threads;

    @Option(
            names = "--profile",
            description =
                    "Runs every operation on its own, in a range that Nsight shows by name, instead of one graph.")
    private boolean profile;

    @Option(
            names = "--roofline",
            description = "Times every op of a step beside the least that its products and its bytes could take, the"
                    + " largest gaps first. On the device cpu.")
    private boolean roofline;

    @Option(names = "--refresh", description = "With --roofline: a step that refreshes the curvature.")
    private boolean refresh;

    @Option(
            names = "--costs",
            description =
                    "A table of what the optimizers' steps cost beside SGD's, averaged over their refreshes; of those"
                            + " that --optimizers names.")
    private boolean costs;

    @Option(names = "--small", description = "Models of the same kinds that take milliseconds: a trial of the command.")
    private boolean small;

    @Override
    public Integer call() {
        boolean gpu = device.startsWith("cuda");
        int count = steps > 0 ? steps : gpu ? 200 : 20;
        List<Precision> wanted = (precisions != null
                        ? precisions
                        : gpu ? List.of("fp32", "tf32", "bf16") : List.of("fp32"))
                .stream().map(Precision::of).toList();
        List<Method> methods = optimizers.stream().map(Method::of).toList();
        List<Workload> known = small ? Workload.small() : Workload.all();
        List<Workload> workloads = models.stream()
                .filter(model -> !model.equals("update"))
                .map(model -> Workload.of(model, known))
                .toList();
        DeviceOptions options = (threads > 0 ? new DeviceOptions(threads) : DeviceOptions.defaults())
                .withExecution(profile ? DeviceOptions.Execution.PLAIN : DeviceOptions.Execution.GRAPH);
        Measurement measurement = new Measurement(device, options, count);
        Map<String, Object> report = new LinkedHashMap<>();
        // Before anything is warm, so that the time from the start of the process says what a first step takes.
        if (!workloads.isEmpty()) {
            measurement.firstStep(workloads.get(0), methods.get(0), wanted.get(0));
            report.put("cold_start", coldStart(workloads.get(0), methods.get(0)));
        }
        report.put("what", "kingfisher bench");
        report.put("version", new Main.Version().getVersion()[0]);
        report.put("time", Instant.now().toString());
        report.put("command", spec.commandLine().getParseResult().originalArgs());
        report.put("device", device);
        report.put("machine", Machine.describe());
        try (Device opened = Device.open(device, options)) {
            report.put("libraries", opened.report());
        }
        List<Object> results = new ArrayList<>();
        report.put("results", results);
        Map<String, Double> ceilings = measurement.ceilings(
                wanted.contains(Precision.FP32) ? wanted : with(Precision.FP32, wanted),
                gpu ? 1L << 30 : small ? 1 << 20 : 1 << 26,
                gpu ? 8192 : small ? 64 : 1024);
        report.put("ceilings", text(ceilings));
        System.out.println(ceilingsLine(ceilings));
        if (costs) {
            CostTable table = new CostTable();
            for (Workload workload : workloads) {
                table.measure(
                        () -> Device.open(device, options), workload, methods, count, SECONDS, System.out::println);
            }
            results.addAll(table.records());
            write(report);
            return 0;
        }
        for (Workload workload : workloads) {
            for (Precision precision : wanted) {
                for (Method method : methods) {
                    if (roofline) {
                        results.add(roofline(measurement, workload, method, precision, ceilings));
                    } else {
                        add(results, measurement.steps(workload, method, precision, ceilings));
                    }
                }
            }
        }
        if (!roofline && models.contains("update")) {
            for (Method method : methods) {
                add(results, measurement.update(method, gpu ? 8192 : small ? 32 : 1024, ceilings));
            }
        }
        write(report);
        return 0;
    }

    private Map<String, Object> roofline(
            Measurement measurement,
            Workload workload,
            Method method,
            Precision precision,
            Map<String, Double> ceilings) {
        Roofline measured = measurement.roofline(workload, method, precision, refresh, ceilings);
        String step = refresh ? "a step with a refresh" : "a step";
        System.out.println(RooflineText.of(
                step + " of " + workload.name() + " with " + method.label() + " in " + precision.key(), measured));
        Map<String, Object> record = measurement.record(workload.name(), workload.batch(), method, precision);
        record.put("refresh", refresh);
        record.putAll(measured.record());
        return record;
    }

    private static List<Precision> with(Precision first, List<Precision> others) {
        List<Precision> all = new ArrayList<>(List.of(first));
        all.addAll(others);
        return all;
    }

    private static Map<String, Object> coldStart(Workload workload, Method method) {
        Instant born = ProcessHandle.current().info().startInstant().orElse(null);
        var cold = new LinkedHashMap<String, Object>();
        cold.put(
                "what",
                "from the start of the process to the loss of the first step of " + workload.name() + " with "
                        + method.label());
        cold.put(
                "seconds",
                born == null
                        ? Double.NaN
                        : Duration.between(born, Instant.now()).toMillis() / 1e3);
        return cold;
    }

    private static Map<String, Object> text(Map<String, Double> ceilings) {
        var all = new LinkedHashMap<String, Object>();
        ceilings.forEach((name, value) -> all.put(
                name.equals("copy") ? "copy_gb_s" : "gemm_tflop_s_" + name,
                value / (name.equals("copy") ? 1e9 : 1e12)));
        return all;
    }

    private static String ceilingsLine(Map<String, Double> ceilings) {
        StringBuilder line = new StringBuilder("at best:");
        ceilings.forEach((name, value) -> line.append(
                name.equals("copy")
                        ? String.format(Locale.ROOT, " copy %.1f GB/s", value / 1e9)
                        : String.format(Locale.ROOT, ", %s product %.3f TFLOP/s", name, value / 1e12)));
        return line.toString();
    }

    private static void add(List<Object> results, Map<String, Object> record) {
        results.add(record);
        System.out.printf(
                Locale.ROOT,
                "%-14s %-18s %-4s  p50 %9.3f ms  p99 %9.3f ms  host %8.1f us  %4d calls  %4d nodes  %7.3f TFLOP/s (%3.0f%%)"
                        + "  %7.1f GB/s (%3.0f%%)%n",
                (String) record.get("model"),
                (String) record.get("optimizer"),
                (String) record.get("precision"),
                (double) record.get("step_ms_p50"),
                (double) record.get("step_ms_p99"),
                (double) record.get("host_us"),
                (long) record.get("native_calls"),
                (long) record.get("graph_nodes"),
                (double) record.get("tflop_s"),
                100 * (double) record.get("share_of_gemm"),
                (double) record.get("gb_s"),
                100 * (double) record.get("share_of_copy"));
    }

    private void write(Map<String, Object> report) {
        if (json == null) {
            return;
        }
        try {
            Path parent = json.toAbsolutePath().getParent();
            Files.createDirectories(parent);
            Files.writeString(json, Json.writePretty(report));
        } catch (IOException e) {
            throw new KingfisherException(
                    "The figures cannot be written to " + json + ": " + e.getMessage()
                            + "; give another file with --json.",
                    e);
        }
        System.out.println("figures in " + json);
    }
}
