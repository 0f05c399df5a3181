package io.kingfisher.train;

import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.config.Setting;
import io.kingfisher.train.methods.Methods;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kingfisher train CONFIG.yaml}. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Trains the network of a configuration file and leaves metrics, plots and checkpoints in a folder.",
            "",
            "The file says what to train on, which network, which optimizer: see configs/quickstart.yaml. Options win"
                    + " over the file."
        },
        footer = {
            "",
            "Examples:",
            "  kingfisher train configs/quickstart.yaml",
            "  kingfisher train configs/mnist-lenet-adafisher.yaml --data ~/mnist --set mode=relative",
            "  kingfisher train run.yaml --output runs/a --resume runs/a/checkpoints/last.safetensors"
        })
final class TrainCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CONFIG.yaml", description = "The configuration file.")
    private Path file;

    @Option(names = "--data", paramLabel = "DIR", description = "The folder, zip or text file of the data set.")
    private Path data;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Where metrics, plots and the summary go; a new folder in runs/ unless given.")
    private Path output;

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description = "Where checkpoints go; the folder checkpoints in the output unless given.")
    private Path checkpoint;

    @Option(
            names = "--resume",
            paramLabel = "FILE",
            description = "Continues the run of this checkpoint, or of the last one in this folder, bit for bit.")
    private Path resume;

    @Option(
            names = "--init",
            paramLabel = "FILE.safetensors",
            description = "Starts from the weights in this file instead of random ones.")
    private Path init;

    @Option(
            names = "--device",
            paramLabel = "D",
            description =
                    "Where to compute: cuda:0 (and so on), cpu, reference (slow), or auto: cuda:0 where it can be used, else cpu.")
    private String device;

    @Option(names = "--seed", paramLabel = "N", description = "Of every random choice: same seed, same run.")
    private String seed;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all processors unless given.")
    private String threads;

    @Option(names = "--max-steps", paramLabel = "N", description = "Stops after this many steps.")
    private String maxSteps;

    @Option(names = "--save-freq", paramLabel = "N", description = "Keeps a checkpoint every N epochs.")
    private String saveFreq;

    @Option(names = "--precision", paramLabel = "P", description = "Of products: fp32, tf32 (GPUs only), bf16 or fp16.")
    private String precision;

    @Option(
            names = "--profile",
            description =
                    "Runs every operation on its own, in a range that Nsight shows by name, instead of one graph.")
    private boolean profile;

    @Option(
            names = "--set",
            paramLabel = "key=value",
            description = "Sets any key of the file, such as optimizer_kwargs.TCov=10; can be repeated.")
    private List<String> sets = List.of();

    @Override
    public Integer call() {
        RunConfig config = Methods.reader().load(file, settings());
        RunFolder folder = folder();
        var start = new Trainer.Start(Optional.ofNullable(init), Optional.ofNullable(resume));
        if (init != null && resume != null) {
            throw new io.kingfisher.runtime.KingfisherException(
                    "--init starts a new run and --resume continues one; give one of them.");
        }
        List<RunConfig> trials = config.trials();
        for (RunConfig trial : trials) {
            RunFolder own = trials.size() > 1 ? folder.trial(trial.training().seed()) : folder;
            new Trainer(trial, own, start, asked -> Experiment.device(asked, profile)).run();
        }
        return 0;
    }

    /** A resumed run goes on where its checkpoint lies, unless told otherwise. */
    private RunFolder folder() {
        if (output != null) {
            return RunFolder.of(output, checkpoint);
        }
        if (resume != null) {
            Path parent = java.nio.file.Files.isDirectory(resume)
                    ? resume.toAbsolutePath()
                    : resume.toAbsolutePath().getParent();
            return RunFolder.of(parent.getParent(), checkpoint != null ? checkpoint : parent);
        }
        String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
        return RunFolder.of(RunFolder.fresh(name), checkpoint);
    }

    private List<Setting> settings() {
        List<Setting> settings = new ArrayList<>();
        sets.forEach(set -> settings.add(Setting.set(set)));
        option(settings, "--data", "data", data == null ? null : data.toString());
        option(settings, "--device", "device", device);
        option(settings, "--seed", "seed", seed);
        option(settings, "--threads", "threads", threads);
        option(settings, "--precision", "precision", precision);
        option(settings, "--max-steps", "max_steps", maxSteps);
        option(settings, "--save-freq", "save_freq", saveFreq);
        return settings;
    }

    private static void option(List<Setting> settings, String option, String key, String value) {
        if (value != null) {
            settings.add(Setting.option(option, key, value));
        }
    }
}
