package io.kingfisher.optimizers.matrixfree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.optimizers.matrixfree.StepControl.LevenbergMarquardt;
import io.kingfisher.optimizers.matrixfree.StepControl.Plane;
import io.kingfisher.optimizers.matrixfree.StepControl.TrustRegion;
import io.kingfisher.runtime.KingfisherException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepControlTest {
    private static final StrongWolfe SEARCH = new StrongWolfe(1e-4, 0.1, 40);

    private static StrongWolfe.Line line(DoubleUnaryOperator f, DoubleUnaryOperator slope) {
        return a -> new StrongWolfe.Point(a, f.applyAsDouble(a), slope.applyAsDouble(a));
    }

    private static void check(StrongWolfe.Line f, double first) {
        StrongWolfe.Point start = f.at(0);
        Optional<StrongWolfe.Point> found = SEARCH.search(f, start, first);
        StrongWolfe.Point p = found.orElseThrow();
        assertTrue(p.value() <= start.value() + SEARCH.c1() * p.alpha() * start.slope(), p + " decreases");
        assertTrue(Math.abs(p.slope()) <= -SEARCH.c2() * start.slope(), p + " is flat");
    }

    /** From steps far too short to far too long, on functions with one minimum, with many, and with a cliff. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-6, 1e-2, 1, 50})
    void wolfeConditionsHold(double first) {
        check(line(a -> (a - 3) * (a - 3), a -> 2 * (a - 3)), first);
        check(line(a -> -a / (a * a + 2), a -> (a * a - 2) / ((a * a + 2) * (a * a + 2))), first);
        check(line(a -> a * a - 2 * a + Math.cos(9 * a), a -> 2 * a - 2 - 9 * Math.sin(9 * a)), first);
        check(line(a -> Math.exp(a) - 40 * a, a -> Math.exp(a) - 40), first);
        check(
                line(a -> a > 5 ? Double.NaN : (a - 3) * (a - 3), a -> a > 5 ? Double.NaN : 2 * (a - 3)),
                Math.min(first, 8));
    }

    /** The cubic through values and slopes of a parabola is the parabola. */
    @Test
    void quadraticsTakeTwoEvaluations() {
        int[] calls = {0};
        StrongWolfe.Line f = a -> {
            calls[0]++;
            return new StrongWolfe.Point(a, (a - 3) * (a - 3), 2 * (a - 3));
        };
        StrongWolfe.Point found =
                SEARCH.search(f, new StrongWolfe.Point(0, 9, -6), 1).orElseThrow();
        assertEquals(3, found.alpha(), 1e-12);
        assertEquals(2, calls[0]);
    }

    @Test
    void searchesWithoutSuccessEnd() {
        StrongWolfe.Line up = line(a -> a, _ -> 1);
        assertEquals(Optional.empty(), SEARCH.search(up, up.at(0), 1));
        // The slope lies: there is nothing lower.
        StrongWolfe.Line lie = line(a -> a, _ -> -1);
        assertEquals(Optional.empty(), SEARCH.search(lie, lie.at(0), 1));
        StrongWolfe.Line nan = line(a -> a == 0 ? 0 : Double.NaN, _ -> -1);
        assertEquals(Optional.empty(), SEARCH.search(nan, nan.at(0), 1));
        // Without end it stops at its limit with the best so far.
        StrongWolfe.Line down = line(a -> -a, _ -> -1);
        assertTrue(new StrongWolfe(1e-4, 0.9, 5)
                        .search(down, down.at(0), 1)
                        .orElseThrow()
                        .alpha()
                > 1);
    }

    @Test
    void armijoTakesTheFirstThatIsShortEnough() {
        // (a - 0.3)^2: the condition holds up to 0.6 - 2 * 0.3 * 1e-2.
        DoubleUnaryOperator f = a -> (a - 0.3) * (a - 0.3);
        assertEquals(0.512, StepControl.armijo(f, 0.09, -0.6, 1e-2, 0.8, 60).orElseThrow(), 1e-12);
        assertEquals(OptionalDouble.empty(), StepControl.armijo(f, 0.09, -0.6, 1e-2, 0.8, 3));
        assertEquals(OptionalDouble.empty(), StepControl.armijo(_ -> Double.NaN, 0.09, -0.6, 1e-2, 0.8, 9));
    }

    @Test
    void planeMinimum() {
        // H = [[2, 1], [1, 3]], g = (1, -2): d = -H^-1 g = (-1, 1), value g^T d / 2.
        Plane plane = Plane.minimum(2, 1, 3, 1, -2);
        assertEquals(-1, plane.x(), 1e-12);
        assertEquals(1, plane.y(), 1e-12);
        assertEquals(-1.5, plane.change(), 1e-12);
        Plane line = Plane.minimum(2, 0, 0, 1, 0);
        assertEquals(new Plane(-0.5, 0, -0.25), line);
        // Parallel directions.
        assertEquals(-0.5, Plane.minimum(2, 4, 8, 1, 2).x(), 1e-12);
        assertEquals(0, Plane.minimum(-1, 0, 0, 1, 0).x());
    }

    @Test
    void dampingFollowsTheRatio() {
        LevenbergMarquardt rule = LevenbergMarquardt.martens();
        assertEquals(2, rule.next(3, 0.9), 1e-12);
        assertEquals(3, rule.next(3, 0.5));
        assertEquals(4.5, rule.next(3, 0.1));
        assertEquals(4.5, rule.next(3, -7));
        assertEquals(4.5, rule.next(3, Double.NaN));
    }

    @Test
    void trustRegionFollowsTheRatio() {
        TrustRegion region = new TrustRegion(2, 5);
        assertEquals(0.5, region.next(0.1, 2).radius());
        assertEquals(0.5, region.next(Double.NaN, 2).radius());
        assertEquals(2, region.next(0.5, 2).radius());
        assertEquals(2, region.next(0.9, 1).radius());
        assertEquals(4, region.next(0.9, 2).radius());
        assertEquals(5, region.next(0.9, 2).next(0.9, 4).radius());
        assertEquals(0.25, region.scale(8));
        assertEquals(1, region.scale(1));
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new StrongWolfe(0.9, 0.1, 5));
        assertThrows(KingfisherException.class, () -> new StrongWolfe(1e-4, 0.9, 0));
        assertThrows(KingfisherException.class, () -> new LevenbergMarquardt(0.8, 0.7, 0.5, 2));
        assertThrows(KingfisherException.class, () -> new LevenbergMarquardt(0.2, 0.7, 0, 2));
        assertThrows(KingfisherException.class, () -> new TrustRegion(0, 1));
    }
}
