package io.kingfisher.runtime.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Random.Distribution;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Statistics of the distributions and the independence of streams and steps; bounds are six standard errors. */
class RandomStatisticsTest {
    private static final int N = 200_000;

    private static double[] draw(Distribution distribution, int stream, double... state) {
        return Philox.draw(new Random(distribution, stream, Shape.of(N)), state);
    }

    private static double moment(double[] x, int power) {
        return Arrays.stream(x).map(v -> Math.pow(v, power)).average().orElseThrow();
    }

    @Test
    void uniform() {
        double[] x = draw(Distribution.UNIFORM, 0, 1, 2, 3, 4);
        assertTrue(Arrays.stream(x).allMatch(v -> v >= 0 && v < 1 && (float) v == v));
        assertEquals(0.5, moment(x, 1), 6 * Math.sqrt(1 / 12.0 / N));
        assertEquals(1 / 3.0, moment(x, 2), 6 * Math.sqrt(4 / 45.0 / N));
        // Kolmogorov and Smirnov: sqrt(n) D stays below 2 but for one time in 1500.
        Arrays.sort(x);
        double distance = 0;
        for (int i = 0; i < N; i++) {
            distance = Math.max(distance, Math.max((i + 1.0) / N - x[i], x[i] - (double) i / N));
        }
        assertTrue(Math.sqrt(N) * distance < 2, "distance " + distance);
    }

    @Test
    void normal() {
        double[] x = draw(Distribution.NORMAL, 0, 5, 6, 7, 8);
        assertEquals(0, moment(x, 1), 6 / Math.sqrt(N));
        assertEquals(1, moment(x, 2), 6 * Math.sqrt(2.0 / N));
        assertEquals(0, moment(x, 3), 6 * Math.sqrt(15.0 / N));
        assertEquals(3, moment(x, 4), 6 * Math.sqrt(96.0 / N));
        double within = Arrays.stream(x).filter(v -> Math.abs(v) < 1).count() / (double) N;
        assertEquals(0.6826894921, within, 6 * Math.sqrt(0.217 / N));
        assertTrue(Arrays.stream(x).allMatch(Double::isFinite));
        double neighbours = 0;
        for (int i = 0; i + 1 < N; i++) {
            neighbours += x[i] * x[i + 1] / N;
        }
        assertEquals(0, neighbours, 6 / Math.sqrt(N));
    }

    @Test
    void rademacher() {
        double[] x = draw(Distribution.RADEMACHER, 0, 1, 1, 1, 1);
        assertTrue(Arrays.stream(x).allMatch(v -> v == 1 || v == -1));
        assertEquals(0, moment(x, 1), 6 / Math.sqrt(N));
    }

    @Test
    void streamsStepsAndSeedsAreIndependent() {
        double[] x = draw(Distribution.NORMAL, 0, 1, 0, 1, 0);
        double[][] others = {
            draw(Distribution.NORMAL, 1, 1, 0, 1, 0),
            draw(Distribution.NORMAL, 0, 2, 0, 1, 0),
            draw(Distribution.NORMAL, 0, 1, 1, 1, 0),
            draw(Distribution.NORMAL, 0, 1, 0, 2, 0),
            draw(Distribution.NORMAL, 0, 1, 0, 1, 1)
        };
        for (double[] y : others) {
            double product = 0;
            for (int i = 0; i < N; i++) {
                product += x[i] * y[i] / N;
            }
            assertEquals(0, product, 6 / Math.sqrt(N));
            assertNotEquals(x[0], y[0]);
        }
    }

    /** An element does not depend on how many others are drawn. */
    @Test
    void elementsAreFunctionsOfTheirPlace() {
        double[] state = {1, 2, 3, 4}, all = draw(Distribution.NORMAL, 9, state);
        for (int n = 0; n < 20; n++) {
            double[] few = Philox.draw(new Random(Distribution.NORMAL, 9, Shape.of(n)), state);
            assertEquals(0, Arrays.mismatch(all, few) < 0 ? 0 : Arrays.mismatch(all, few) - n);
        }
    }
}
