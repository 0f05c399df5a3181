package io.kingfisher.bench.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.workload.Workload;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is measured side by side computes the same: losses agree after 20 steps. */
class EnginesAgreeTest {
    private static final int STEPS = 20;

    /** Both engines wait for their threads by spinning, which two of them in one process had better not. */
    private static final int THREADS = 1;

    /** Every workload with every optimizer, the curvature refreshed as usual and in every step, each in some variant. */
    static Stream<Arguments> steps() {
        return Workload.all().stream()
                .flatMap(workload -> Stream.of(
                        Arguments.of(workload.name(), Rule.SGD, Refresh.SCHEDULED, "libtorch"),
                        Arguments.of(workload.name(), Rule.SGD, Refresh.SCHEDULED, "libtorch+channels-last+fused"),
                        Arguments.of(workload.name(), Rule.ADAMW, Refresh.SCHEDULED, "libtorch"),
                        Arguments.of(workload.name(), Rule.ADAMW, Refresh.SCHEDULED, "libtorch+fused"),
                        Arguments.of(workload.name(), Rule.ADAFISHER, Refresh.SCHEDULED, "libtorch"),
                        Arguments.of(workload.name(), Rule.ADAFISHER, Refresh.ALWAYS, "libtorch+channels-last")));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void inTheirLosses(String model, Rule rule, Refresh refresh, String engine) {
        Workload workload = smaller(Workload.of(model, Workload.all()));
        try (var ours = Engines.open(Engines.OURS, workload, rule, refresh, THREADS);
                var theirs = Engines.open(engine, workload, rule, refresh, THREADS)) {
            for (int i = 0; i < STEPS; i++) {
                assertEquals(theirs.step(i), ours.step(i), 1e-3, "the loss of step " + i);
            }
        }
    }

    /** The network as it is measured, with as many samples as a test has time for. */
    private static Workload smaller(Workload workload) {
        return switch (workload.name()) {
            case "resnet18-cifar" -> workload.withBatch(4);
            case "gpt-mini" -> workload.withBatch(2);
            default -> workload;
        };
    }

    @Test
    void refuseNamesThatThereAreNot() {
        for (String name : List.of("pytorch", "libtorch+cuda", "kingfisher+mkl")) {
            var refused = assertThrows(KingfisherException.class, () -> Engines.ours(name));
            assertTrue(refused.getMessage().contains("There is no engine '" + name + "'"), refused.getMessage());
        }
    }
}
