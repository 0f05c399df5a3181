package io.kingfisher.train;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code kingfisher analyze}: looks at directions of optimizers instead of training with them. */
@Command(
        name = "analyze",
        mixinStandardHelpOptions = true,
        subcommands = {AnalyzeGammaCommand.class, AnalyzeToyCommand.class},
        description = "Compares the directions that optimizers take from one point.")
final class AnalyzeCommand implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }
}
