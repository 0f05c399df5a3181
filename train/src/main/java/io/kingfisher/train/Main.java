package io.kingfisher.train;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of Kingfisher. */
@Command(
        name = "kingfisher",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = "Trains neural networks with first- and second-order optimizers.")
public final class Main implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
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
