package io.kingfisher.train;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.selftest.Selftest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kingfisher selftest}: everything that can be checked of a device on this machine. */
@Command(
        name = "selftest",
        mixinStandardHelpOptions = true,
        description = {
            "Checks a device: every operation against plain Java in double precision (odd shapes, special values, first"
                    + " and second derivatives, random streams, factorizations), training steps of every optimizer and"
                    + " model, half precision, memory, determinism, and what it must refuse.",
            "Ends with a table, and exits with 1 where anything disagrees."
        })
final class SelftestCommand implements Callable<Integer> {
    @Option(
            names = "--device",
            paramLabel = "D",
            description = "Which device: cuda:0, cpu (the default) or reference (slow).")
    private String device = "cpu";

    @Option(names = "--only", paramLabel = "WORDS", description = "Runs the checks whose name contains these words.")
    private String only = "";

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all processors unless given.")
    private int threads;

    @Override
    public Integer call() {
        // Where it cannot be opened this fails with the reason, before anything is checked.
        DeviceOptions options = threads > 0 ? new DeviceOptions(threads) : DeviceOptions.defaults();
        try (Device opened = Device.open(device, options)) {
            opened.report().forEach(System.out::println);
        }
        Selftest selftest = Selftest.of(device, options, only, System.out::println);
        boolean passed = selftest.run(System.out::println);
        System.out.println();
        selftest.table().forEach(System.out::println);
        System.out.println(passed ? device + ": all checks passed" : device + ": FAILED");
        return passed ? 0 : 1;
    }
}
