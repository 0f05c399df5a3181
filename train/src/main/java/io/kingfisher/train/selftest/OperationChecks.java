package io.kingfisher.train.selftest;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.conformance.Conformance;
import io.kingfisher.runtime.conformance.Result;
import io.kingfisher.train.selftest.Check.Finding;
import io.kingfisher.train.selftest.Check.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Every operation: odd shapes, special values, derivatives, random streams, factorizations. */
final class OperationChecks {
    private OperationChecks() {}

    static Finding conformance(Target target, Consumer<String> log) {
        List<Result> failed = new ArrayList<>();
        int[] count = {0};
        try (Device device = target.open()) {
            Conformance.run(device, result -> {
                count[0]++;
                if (!result.passed()) {
                    failed.add(result);
                    log.accept(line(result));
                }
            });
        }
        return failed.isEmpty()
                ? Finding.passed(count[0] + " cases")
                : Finding.failed(failed.size() + " of " + count[0] + " cases, the first: "
                        + failed.get(0).name());
    }

    private static String line(Result result) {
        return String.format(
                Locale.ROOT,
                "FAILED  %s  error %.2e of %.2e %s",
                result.name(),
                result.worstError(),
                result.tolerance(),
                result.message());
    }
}
