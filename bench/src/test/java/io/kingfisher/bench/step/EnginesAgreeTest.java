package io.kingfisher.bench.step;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.bench.step.TorchEngine.Layout;
import io.kingfisher.train.workload.Workload;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is measured side by side computes the same: losses agree after 20 steps. */
class EnginesAgreeTest {
    private static final int STEPS = 20;

    /** Both engines wait for their threads by spinning, which two of them in one process had better not. */
    private static final int THREADS = 1;

    @ParameterizedTest
    @CsvSource({"mlp-small, SGD", "mlp-small, ADAMW", "mlp-large, SGD", "lenet, SGD", "lenet, ADAMW", "gpt-mini, SGD"})
    void inTheirLosses(String model, Rule rule) {
        Workload workload = Workload.of(model, Workload.all());
        try (var ours = new KingfisherEngine(workload, rule, Refresh.SCHEDULED, THREADS);
                var theirs = new TorchEngine(workload, rule, THREADS, Layout.NCHW, false)) {
            for (int i = 0; i < STEPS; i++) {
                assertEquals(theirs.step(i), ours.step(i), 1e-3, "the loss of step " + i);
            }
        }
    }
}
