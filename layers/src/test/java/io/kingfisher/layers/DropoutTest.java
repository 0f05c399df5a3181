package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Dropout keeps the share and the mean that it should, is made of the state alone, and its gradient drops the same. */
class DropoutTest {
    @Test
    void keepsShareAndMeanAndGradient() {
        int n = 40_000;
        double p = 0.3;
        try (Run run = new Run()) {
            Given ones = Given.normal(71, 200, 200).map(_ -> 1);
            Value x = run.given(ones);
            Recording r = run.train();
            Value first = new Dropout(p).apply(r, x), second = new Dropout(p).apply(r, x);
            run.output("y", first);
            run.output("other", second);
            run.output("dx", Autodiff.gradients(first.sum(), List.of(x)).get(0));
            run.state.write(7, 8, 9, 0);
            double[] y = run.replay().get("y"), other = run.get("other");
            double kept = Arrays.stream(y).filter(v -> v != 0).count();
            // Five standard deviations.
            double bound = 5 * Math.sqrt(n * p * (1 - p));
            assertEquals(n * (1 - p), kept, bound);
            for (double v : y) {
                assertTrue(v == 0 || Math.abs(v - 1 / (1 - p)) < 1e-6);
            }
            assertArrayEquals(y, run.get("dx"));
            double both = 0;
            for (int i = 0; i < n; i++) {
                both += y[i] != 0 && other[i] != 0 ? 1 : 0;
            }
            double q = (1 - p) * (1 - p);
            assertEquals(n * q, both, 5 * Math.sqrt(n * q * (1 - q)), "two layers drop independently");
            assertArrayEquals(y, run.replay().get("y"), "the same state draws the same");
            run.state.write(7, 8, 10, 0);
            assertFalse(Arrays.equals(y, run.replay().get("y")), "another step draws anew");
        }
    }

    @Test
    void evaluationDropsNothing() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 3);
        assertSame(x, new Dropout(0.5).apply(Recording.eval(graph), x));
    }

    @Test
    void extremes() {
        try (Run run = new Run()) {
            Value x = run.given(Given.normal(72, 50));
            run.output("none", new Dropout(0).apply(run.train(), x).add(0.0));
            run.output("all", new Dropout(1).apply(run.train(), x));
            run.replay();
            assertArrayEquals(Given.normal(72, 50).values(), run.get("none"));
            assertArrayEquals(
                    new double[50], Arrays.stream(run.get("all")).map(Math::abs).toArray());
        }
        assertThrows(KingfisherException.class, () -> new Dropout(1.5));
        assertThrows(KingfisherException.class, () -> new Dropout(Double.NaN));
    }

    @Test
    void needsAState() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 3);
        Recording r = Recording.train(graph);
        var error = assertThrows(KingfisherException.class, () -> new Dropout(0.5).apply(r, x));
        assertTrue(error.getMessage().contains("random state"), error.getMessage());
        try (Run run = new Run()) {
            var wrong = run.device.allocate(DType.F32, Shape.of(4));
            assertThrows(KingfisherException.class, () -> Recording.train(graph, wrong));
        }
    }
}
