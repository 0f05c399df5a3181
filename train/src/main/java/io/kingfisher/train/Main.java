package io.kingfisher.train;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.KingfisherException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of Kingfisher. */
@Command(
        name = "kingfisher",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            TrainCommand.class,
            CompareCommand.class,
            OptimizersCommand.class,
            DoctorCommand.class,
            SelftestCommand.class,
            BenchCommand.class,
            AnalyzeCommand.class
        },
        description = "Trains neural networks with first- and second-order optimizers.",
        footer = {"", "Start with: kingfisher train configs/quickstart.yaml"})
public final class Main implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /** Made by {@link #main}. */
    public Main() {}

    /** Runs a command and exits: 0 where it succeeded, 1 where it failed, 2 where it was not understood. */
    public static void main(String[] args) {
        // Plots are drawn into files, on machines without a screen too.
        System.setProperty("java.awt.headless", "true");
        System.exit(run(args));
    }

    static int run(String... args) {
        return new CommandLine(new Main())
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    if (e instanceof KingfisherException || e instanceof NativeException) {
                        line.getErr().println("kingfisher: " + e.getMessage());
                    } else {
                        e.printStackTrace(line.getErr());
                    }
                    return 1;
                })
                .execute(args);
    }

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    /** The version that the module was compiled as. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            var version = Main.class.getModule().getDescriptor().rawVersion().orElse("unknown version");
            return new String[] {"kingfisher " + version};
        }
    }
}
