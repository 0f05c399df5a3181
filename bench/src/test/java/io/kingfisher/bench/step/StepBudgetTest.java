package io.kingfisher.bench.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.train.workload.Workload;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a training step may cost besides time. */
class StepBudgetTest {
    private static final int THREADS = 2;

    /** The time that the last compiler may take to have done everything that a step calls. */
    private static final long PATIENCE_NANOS = 120_000_000_000L;

    static Stream<Arguments> steps() {
        return Workload.small().stream()
                .flatMap(workload -> Stream.of(
                        Arguments.of(workload, Rule.SGD, Refresh.NEVER),
                        Arguments.of(workload, Rule.ADAMW, Refresh.NEVER),
                        Arguments.of(workload, Rule.ADAFISHER, Refresh.NEVER),
                        Arguments.of(workload, Rule.ADAFISHER, Refresh.ALWAYS)));
    }

    /** From the inputs being copied in to the loss being read, in every thread. */
    @ParameterizedTest
    @MethodSource("steps")
    void allocatesNothingOnTheHeap(Workload workload, Rule rule, Refresh refresh) {
        try (var engine = new KingfisherEngine(workload, rule, refresh, THREADS)) {
            int[] number = {0};
            long began = System.nanoTime(), least;
            do {
                least = HeapBytes.fewest(500, () -> engine.step(number[0]++));
            } while (least > 0 && System.nanoTime() - began < PATIENCE_NANOS);
            assertEquals(0, least, "bytes in a step");
        }
    }

    /**
     * The calls into native libraries of a step at the sizes that are measured, against those in native-calls.txt: more are
     * a fault, or are to be reviewed there. (Fewer may be a processor with other layouts, or an improvement to be noted.)
     */
    @Test
    void makesNoMoreNativeCallsThanReviewed() throws IOException {
        Map<String, Integer> reviewed = reviewed();
        List<String> found = new ArrayList<>(), over = new ArrayList<>();
        for (Workload workload : Workload.all()) {
            // AdamW's step differs from SGD's in one loop of our own.
            for (Rule rule : new Rule[] {Rule.SGD, Rule.ADAFISHER}) {
                try (var engine = new KingfisherEngine(workload, rule, Refresh.SCHEDULED, THREADS)) {
                    for (Cadence cadence : rule == Rule.ADAFISHER
                            ? new Cadence[] {Cadence.STEP, Cadence.REFRESH}
                            : new Cadence[] {Cadence.STEP}) {
                        String name = workload.name() + " " + rule + " " + cadence;
                        int calls = engine.nativeCalls(cadence);
                        found.add(name + " " + calls);
                        assertNotNull(reviewed.get(name), name + " is missing in native-calls.txt");
                        if (calls > reviewed.get(name)) {
                            over.add(name);
                        }
                    }
                }
            }
        }
        assertEquals(reviewed.size(), found.size(), "lines in native-calls.txt");
        assertTrue(over.isEmpty(), "more calls than reviewed: " + over + "; now\n" + String.join("\n", found));
    }

    private static Map<String, Integer> reviewed() throws IOException {
        Map<String, Integer> calls = new LinkedHashMap<>();
        try (var in = StepBudgetTest.class.getResourceAsStream("/native-calls.txt")) {
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .forEach(line -> calls.put(
                            line.substring(0, line.lastIndexOf(' ')),
                            Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1))));
        }
        return calls;
    }
}
