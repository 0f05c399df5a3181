package io.kingfisher.train;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.conformance.Conformance;
import io.kingfisher.runtime.conformance.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kingfisher selftest}: the op conformance suite on this machine's devices. */
@Command(
        name = "selftest",
        mixinStandardHelpOptions = true,
        description = {
            "Runs every operation on a device and compares it with plain Java in double precision: odd shapes, special"
                    + " values, first and second derivatives, random streams, factorizations.",
            "Exits with 1 where anything disagrees."
        })
final class SelftestCommand implements Callable<Integer> {
    @Option(names = "--device", paramLabel = "D", description = "Which device: cpu (the default) or reference.")
    private String device = "cpu";

    @Option(names = "--verbose", description = "Prints every case, not only those that fail.")
    private boolean verbose;

    @Override
    public Integer call() {
        List<Result> results = new ArrayList<>();
        long began = System.nanoTime();
        try (Device opened = Device.open(device)) {
            opened.report().forEach(System.out::println);
            Conformance.run(opened, result -> {
                results.add(result);
                if (verbose || !result.passed()) {
                    System.out.println(line(result));
                }
            });
        }
        long failed = results.stream().filter(result -> !result.passed()).count();
        System.out.printf(
                Locale.ROOT,
                "%s: %d passed, %d failed in %.1f s%n",
                device,
                results.size() - failed,
                failed,
                (System.nanoTime() - began) / 1e9);
        return failed == 0 ? 0 : 1;
    }

    private static String line(Result result) {
        return String.format(
                Locale.ROOT,
                "%s  %s  error %.2e of %.2e %s",
                result.passed() ? "ok    " : "FAILED",
                result.name(),
                result.worstError(),
                result.tolerance(),
                result.message());
    }
}
