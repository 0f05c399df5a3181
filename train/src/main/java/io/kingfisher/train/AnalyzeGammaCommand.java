package io.kingfisher.train;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.train.checkpoint.AtomicFile;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.Setting;
import io.kingfisher.train.data.Batch;
import io.kingfisher.train.data.Position;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kingfisher analyze gamma CONFIG.yaml}. */
@Command(
        name = "gamma",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures how near the directions of optimizers come to natural gradient with the exact Fisher matrix:"
                    + " gamma(d) = sqrt(d^T F d) / |d^T g| on a batch, divided by that of SGD. Less is better; natural"
                    + " gradient without damping has the least.",
            "",
            "The points are those of a training run of the configuration (--steps), or checkpoints of its network."
        },
        footer = {
            "",
            "Examples:",
            "  kingfisher analyze gamma configs/mnist-lenet-adafisher.yaml --data ~/mnist --steps 0,100,400",
            "  kingfisher analyze gamma run.yaml --checkpoint runs/a/checkpoints/last.safetensors --methods SGD,iEF,NGD"
        })
final class AnalyzeGammaCommand implements Callable<Integer> {
    /** An epoch that no training run reaches: its order of samples is used for measuring alone. */
    private static final int ASIDE = 1_000_000;

    @Parameters(paramLabel = "CONFIG.yaml", description = "The configuration: data, network, loss, and how to train.")
    private Path file;

    @Option(names = "--data", paramLabel = "DIR", description = "The folder, zip or text file of the data set.")
    private Path data;

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE.safetensors",
            description = "Measures at the weights in this file and trains nothing; can be repeated.")
    private List<Path> checkpoints = List.of();

    @Option(
            names = "--steps",
            split = ",",
            paramLabel = "N",
            description = "Measures after so many steps of the run: ascending numbers with commas [${DEFAULT-VALUE}].")
    private List<Long> steps = List.of(0L, 50L, 150L, 300L);

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "NAME",
            description = "Which optimizers' directions [${DEFAULT-VALUE}].")
    private List<String> methods = List.of("SGD", "EF", "SF", "iEF", "KFAC", "EKFAC", "ieKFAC");

    @Option(
            names = "--damping",
            split = ",",
            paramLabel = "X",
            description = "Each method's own damping, one column each [${DEFAULT-VALUE}].")
    private List<Double> dampings = List.of(1e-7, 1e-4, 1e-2, 1.0);

    @Option(
            names = "--kwargs",
            paramLabel = "NAME.key=value",
            description = "A setting of one optimizer, such as iEF.duplicates=1; can be repeated.")
    private List<String> kwargs = List.of();

    @Option(names = "--batches", paramLabel = "N", description = "The mean of so many batches [${DEFAULT-VALUE}].")
    private int batches = 4;

    @Option(names = "--seed", paramLabel = "N", description = "Of every random choice: same seed, same numbers.")
    private String seed;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all processors unless given.")
    private String threads;

    @Option(
            names = "--set",
            paramLabel = "key=value",
            description = "Sets any key of the file, such as mini_batch_size=64; can be repeated.")
    private List<String> sets = List.of();

    @Option(names = "--csv", paramLabel = "FILE", description = "Also writes every number into this file.")
    private Path csv;

    /** gamma over SGD's for each method, a number for each damping; one where the method has none. */
    private record Stage(String name, double loss, double imbalance, Map<String, double[]> ratios) {}

    @Override
    public Integer call() {
        for (int i = 1; i < steps.size(); i++) {
            if (steps.get(i) <= steps.get(i - 1)) {
                throw new KingfisherException("--steps takes ascending numbers, not " + steps + ".");
            }
        }
        if (batches < 1 || dampings.isEmpty() || dampings.stream().anyMatch(d -> !(d > 0))) {
            throw new KingfisherException("--batches is at least 1 and every --damping is above 0.");
        }
        List<Method> chosen = methods.stream().map(AnalyzeGammaCommand::named).toList();
        RunConfig config = Methods.reader().load(file, settings());
        List<Stage> stages = new ArrayList<>();
        try (Experiment experiment = new Experiment(config, asked -> Experiment.device(asked, false));
                Tensor random = experiment.device().allocate(DType.I32, Shape.of(4));
                GammaProgram program = new GammaProgram(experiment, random);
                Directions directions = new Directions(experiment, random, chosen)) {
            System.out.println(experiment.subject() + ": " + experiment.sampleText() + "; "
                    + String.format(Locale.ROOT, "%,d", experiment.model().parameterCount())
                    + " parameters; batches of "
                    + config.data().batchSize());
            System.out.print(header());
            if (checkpoints.isEmpty()) {
                LearningRate rate = new LearningRate(
                        config,
                        experiment.trainLoader().batchesPerEpoch(),
                        (long) config.training().maxEpochs()
                                * experiment.trainLoader().batchesPerEpoch());
                long done = 0;
                for (long to : steps) {
                    train(experiment, rate, done, to);
                    done = to;
                    stages.add(shown(measure("step " + to, experiment, random, program, directions)));
                }
            } else {
                for (Path checkpoint : checkpoints) {
                    Snapshots.initialize(experiment, checkpoint);
                    stages.add(shown(
                            measure(checkpoint.getFileName().toString(), experiment, random, program, directions)));
                }
            }
        }
        if (csv != null) {
            byte[] text = csv(stages).getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(csv, out -> out.write(ByteBuffer.wrap(text)));
        }
        return 0;
    }

    private static Method named(String name) {
        return Methods.all().stream()
                .filter(method -> method.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no optimizer '" + name
                        + "' for --methods; there are "
                        + String.join(
                                ", ", Methods.all().stream().map(Method::name).toList()) + "."));
    }

    private List<Setting> settings() {
        List<Setting> settings = new ArrayList<>();
        sets.forEach(set -> settings.add(Setting.set(set)));
        if (data != null) {
            settings.add(Setting.option("--data", "data", data.toString()));
        }
        if (seed != null) {
            settings.add(Setting.option("--seed", "seed", seed));
        }
        if (threads != null) {
            settings.add(Setting.option("--threads", "threads", threads));
        }
        return settings;
    }

    /** Every chosen method at every damping that it can have. */
    private final class Directions implements AutoCloseable {
        private final Map<String, List<MethodDirection>> all = new LinkedHashMap<>();

        Directions(Experiment experiment, Tensor random, List<Method> chosen) {
            for (Method method : chosen) {
                boolean damped = method.schema().options().knows("damping");
                List<MethodDirection> own = new ArrayList<>();
                for (double damping : damped ? dampings : List.of(0.0)) {
                    Map<String, Object> given = new LinkedHashMap<>(kwargs(method));
                    if (damped) {
                        given.put("damping", damping);
                    }
                    own.add(new MethodDirection(experiment, random, method, given));
                }
                all.put(method.name(), own);
            }
        }

        @Override
        public void close() {
            all.values().forEach(own -> own.forEach(MethodDirection::close));
        }
    }

    /** What --kwargs says of a method: numbers, whole ones where the default is, or words. */
    private Map<String, Object> kwargs(Method method) {
        Map<String, Object> result = new LinkedHashMap<>();
        for (String given : kwargs) {
            int dot = given.indexOf('.'), equals = given.indexOf('=');
            if (dot < 1 || equals < dot) {
                throw new KingfisherException("--kwargs takes NAME.key=value, not '" + given + "'.");
            }
            if (!given.substring(0, dot).equals(method.name())) {
                continue;
            }
            String key = given.substring(dot + 1, equals), text = given.substring(equals + 1);
            Object fallback = method.schema().options().options().stream()
                    .filter(option -> option.name().equals(key))
                    .findFirst()
                    .flatMap(io.kingfisher.train.config.Option::fallback)
                    .orElseThrow(() -> new KingfisherException("--kwargs " + given + ": " + method.name()
                            + " has no key '" + key + "'; its keys are "
                            + String.join(", ", method.schema().options().names()) + "."));
            try {
                result.put(
                        key,
                        switch (fallback) {
                            case Double _ -> (Object) Double.valueOf(text);
                            case Long _ -> (Object) Long.valueOf(text);
                            case Boolean _ -> (Object) Boolean.valueOf(text);
                            default -> text;
                        });
            } catch (NumberFormatException e) {
                throw new KingfisherException("--kwargs " + given + ": '" + text + "' is no number.", e);
            }
        }
        return result;
    }

    /** Goes on with the run of the configuration. */
    private static void train(Experiment experiment, LearningRate rate, long from, long to) {
        Optimizer optimizer = experiment.optimizer();
        long perEpoch = experiment.trainLoader().batchesPerEpoch();
        experiment.trainLoader().seek(new Position(Math.toIntExact(from / perEpoch), Math.toIntExact(from % perEpoch)));
        for (long step = from; step < to; step++) {
            optimizer.learningRate(0, rate.at(step));
            Programs.Step program = experiment.programs().training(optimizer.advance());
            experiment.programs().random(experiment.config().training().seed(), step);
            long replay = program.run(experiment.trainLoader().next());
            double loss = program.loss(replay) / program.count(replay);
            if (!Double.isFinite(loss)) {
                throw new KingfisherException(
                        "The loss became " + loss + " in step " + (step + 1) + "; lower init_lr in the configuration.");
            }
        }
    }

    private Stage measure(
            String name, Experiment experiment, Tensor random, GammaProgram program, Directions directions) {
        experiment.trainLoader().seek(new Position(ASIDE, 0));
        Map<String, double[]> sums = new LinkedHashMap<>();
        double loss = 0, imbalance = 0;
        Method plain = named("SGD");
        try (MethodDirection gradient = new MethodDirection(experiment, random, plain, Map.of())) {
            for (int b = 0; b < batches; b++) {
                Batch batch = experiment.trainLoader().next();
                random.write(Math.toIntExact(experiment.config().training().seed() & 0x7fffffff), 0, b, 1);
                double unit = program.gamma(batch, gradient.of(batch));
                loss += program.loss() / batches;
                imbalance += program.imbalance() / batches;
                directions.all.forEach((method, all) -> {
                    double[] sum = sums.computeIfAbsent(method, _ -> new double[all.size()]);
                    for (int i = 0; i < sum.length; i++) {
                        Map<Parameter, double[]> direction = all.get(i).of(batch);
                        sum[i] += program.gamma(batch, direction) / unit / batches;
                    }
                });
            }
        }
        return new Stage(name, loss, imbalance, sums);
    }

    private String header() {
        StringBuilder text = new StringBuilder("| at | method |");
        dampings.forEach(d -> text.append(" damping ").append(number(d)).append(" |"));
        text.append('\n').append("| --- | --- |").append(" ---: |".repeat(dampings.size()));
        return text.append('\n').toString();
    }

    /** Prints a stage when it is there: a run of many takes minutes. */
    private Stage shown(Stage stage) {
        StringBuilder text = new StringBuilder();
        String at = stage.name()
                + String.format(Locale.ROOT, ", loss %.3g, imbalance %.3g", stage.loss(), stage.imbalance());
        for (var entry : stage.ratios().entrySet()) {
            text.append("| ").append(at).append(" | ").append(entry.getKey()).append(" |");
            at = "";
            for (int i = 0; i < dampings.size(); i++) {
                double[] found = entry.getValue();
                text.append(i < found.length ? String.format(Locale.ROOT, " %.3g |", found[i]) : " |");
            }
            text.append('\n');
        }
        System.out.print(text);
        return stage;
    }

    private String csv(List<Stage> stages) {
        StringBuilder text = new StringBuilder("at,loss,imbalance,method,damping,gamma_over_sgd\n");
        for (Stage stage : stages) {
            stage.ratios().forEach((method, found) -> {
                for (int i = 0; i < found.length; i++) {
                    text.append(String.join(
                                    ",",
                                    stage.name(),
                                    Double.toString(stage.loss()),
                                    Double.toString(stage.imbalance()),
                                    method,
                                    found.length == 1 ? "" : number(dampings.get(i)),
                                    Double.toString(found[i])))
                            .append('\n');
                }
            });
        }
        return text.toString();
    }

    private static String number(double x) {
        return x == Math.rint(x) && x < 1e6
                ? Long.toString((long) x)
                : Double.toString(x).replaceFirst("\\.0E", "e").replace('E', 'e');
    }
}
