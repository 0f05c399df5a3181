package io.kingfisher.train.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.methods.Methods;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Numbers over seeds, worked out by hand. */
class ComparedMethodTest {
    private static ComparePlan.Entry entry(String label) {
        return new ComparePlan.Entry(label, Methods.reader().parse("{dataset: a, network: b}", "a.yaml", List.of()));
    }

    private static RunOutcome run(String failure, double... accuracies) {
        List<Map<String, Object>> points = new ArrayList<>();
        for (int i = 0; i < accuracies.length; i++) {
            points.add(Map.of(
                    "seconds",
                    i + 1.0,
                    "epochs",
                    2.0 * i,
                    "test_top1",
                    accuracies[i],
                    "test_loss",
                    1 - accuracies[i],
                    "step_ms",
                    1.0 + i));
        }
        var layers = List.of(
                Map.<String, Object>of("condition", 10.0),
                Map.<String, Object>of("condition", 30.0),
                Map.<String, Object>of("condition", "Infinity"));
        return new RunOutcome(failure, Map.of("state_bytes", 4e6, "epochs", 7.5), layers, points);
    }

    private static ComparedMethod method(String label, RunOutcome... outcomes) {
        var runs = new LinkedHashMap<Long, RunOutcome>();
        for (RunOutcome outcome : outcomes) {
            runs.put((long) runs.size(), outcome);
        }
        return new ComparedMethod(entry(label), runs);
    }

    private static final ComparedMethod GOOD =
            method("good, \"quoted\"", run("", 0.5, 0.9), run("", 0.7, 0.8), run("the loss became NaN", 0.6));

    @Test
    void meansAndDeviationsAreOfWholeRuns() {
        ComparedMethod.Sample last = GOOD.last("test_top1");
        assertEquals(2, last.size());
        assertEquals(0.85, last.mean(), 1e-12);
        assertEquals(Math.sqrt(2 * 0.05 * 0.05), last.deviation(), 1e-12);
        assertEquals(1.5, GOOD.mean("step_ms").mean());
        assertEquals(30, GOOD.health("condition").mean());
        assertTrue(Double.isNaN(method("one", run("", 0.5)).last("test_top1").deviation()));
        assertTrue(Double.isNaN(method("none").last("test_top1").mean()));
    }

    @Test
    void timesToATargetAreThoseOfTheFirstEvaluationThere() {
        var target = new ComparePlan.Target("test_top1", 0.7);
        ComparedMethod.Sample times = GOOD.timeTo(target, "seconds");
        assertEquals(2, times.size());
        assertEquals(1.5, times.mean());
        assertEquals(
                1,
                GOOD.timeTo(new ComparePlan.Target("test_loss", 0.1 + 1e-9), "epochs")
                        .size());
    }

    @Test
    void theBestComesFirstAndThoseWithoutAResultLast() {
        var budget = new ComparePlan.Budget(ComparePlan.Budget.Unit.SECONDS, 2);
        ComparedMethod worse = method("worse", run("", 0.1, 0.6)), never = method("never", run("diverged", 0.1));
        var plan = new ComparePlan(
                "t",
                budget,
                2,
                0,
                List.of(1L),
                java.util.Optional.of(new ComparePlan.Target("test_top1", 0.7)),
                List.of(),
                null);
        var results = new ComparisonResults(plan, List.of(never, worse, GOOD));
        assertEquals(
                List.of("good, \"quoted\"", "worse", "never"),
                results.rows().stream().map(List::getFirst).toList());
        assertEquals(
                List.of("method", "test accuracy (%)", "test loss", "seconds to test accuracy 70.00 %", "epochs"),
                results.head().subList(0, 5));
        assertEquals(
                List.of(
                        "85.00 ± 7.07",
                        "0.1500 ± 0.0707",
                        "1.5 ± 0.7 (2 of 3)",
                        "7.5 ± 0.0",
                        "1.50 ± 0.00",
                        "4.0 ± 0.0"),
                results.rows().getFirst().subList(1, 7));
        assertEquals("2 of 3", results.rows().getFirst().getLast());
        assertEquals("-", results.rows().getLast().get(1));
        String first = results.markdown().lines().skip(2).findFirst().orElseThrow();
        assertTrue(first.startsWith("| good, \"quoted\" | 85.00 ± 7.07 |"), first);
    }
}
