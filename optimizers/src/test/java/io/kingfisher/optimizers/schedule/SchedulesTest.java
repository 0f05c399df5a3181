package io.kingfisher.optimizers.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.runtime.KingfisherException;
import org.junit.jupiter.api.Test;

/** The closed forms against the step-by-step recursions by which PyTorch documents the same schedules. */
class SchedulesTest {
    private static final double TIGHT = 1e-12;

    @Test
    void stepMultipliesAfterEveryPeriod() {
        Schedule schedule = Schedules.step(3, 0.5);
        double rate = 0.8;
        for (int t = 0; t < 20; t++) {
            if (t > 0 && t % 3 == 0) {
                rate *= 0.5;
            }
            assertEquals(rate, schedule.at(0.8, t), TIGHT);
        }
    }

    @Test
    void multiStepMultipliesAtEachMilestone() {
        Schedule schedule = Schedules.multiStep(0.1, 7, 2, 7);
        double[] expected = {1, 1, .1, .1, .1, .1, .1, .001, .001};
        for (int t = 0; t < expected.length; t++) {
            assertEquals(expected[t], schedule.at(1, t), TIGHT);
        }
    }

    @Test
    void cosineFollowsTheRecursion() {
        int length = 10;
        double min = 0.01, rate = 0.3;
        Schedule schedule = Schedules.cosine(length, min);
        for (int t = 0; t < length; t++) {
            assertEquals(rate, schedule.at(0.3, t), 1e-9);
            double now = 1 + Math.cos(Math.PI * t / length), next = 1 + Math.cos(Math.PI * (t + 1) / length);
            rate = min + (rate - min) * next / now;
        }
        assertEquals(min, schedule.at(0.3, length), TIGHT);
        assertEquals(0.3, schedule.at(0.3, 2L * length), TIGHT);
    }

    @Test
    void warmRestartsStartAgainAndGrow() {
        Schedule schedule = Schedules.cosineWarmRestarts(4, 2, 0);
        for (int start : new int[] {0, 4, 12, 28}) {
            assertEquals(1, schedule.at(1, start), TIGHT);
        }
        assertEquals(0.5, schedule.at(1, 4 + 4), TIGHT);
        assertEquals(0.5, schedule.at(1, 12 + 8), TIGHT);
        assertEquals(0.5, Schedules.cosineWarmRestarts(4, 1, 0).at(1, 4 * 1000 + 2), TIGHT);
    }

    @Test
    void oneCycleMeetsItsThreeRates() {
        for (boolean cosine : new boolean[] {false, true}) {
            Schedule schedule = Schedules.oneCycle(1, 100, 0.3, 25, 1e4, cosine);
            assertEquals(1.0 / 25, schedule.at(123, 0), TIGHT);
            assertEquals(1, schedule.at(123, 29), TIGHT);
            assertEquals(1.0 / 25 / 1e4, schedule.at(123, 99), TIGHT);
            assertEquals(1.0 / 25 / 1e4, schedule.at(123, 1000), TIGHT);
            double middle = (1 + 1.0 / 25 / 1e4) / 2;
            assertEquals(middle, schedule.at(123, 64), 1e-9);
        }
    }

    @Test
    void linearRisesAndStays() {
        Schedule schedule = Schedules.linear(0.25, 1, 3);
        double[] expected = {.25, .5, .75, 1, 1};
        for (int t = 0; t < expected.length; t++) {
            assertEquals(2 * expected[t], schedule.at(2, t), TIGHT);
        }
    }

    @Test
    void warmUpComesBeforeTheOther() {
        Schedule schedule = Schedules.warmUp(4, Schedules.step(1, 0.5));
        double[] expected = {.25, .5, .75, 1, 1, .5, .25};
        for (int t = 0; t < expected.length; t++) {
            assertEquals(expected[t], schedule.at(1, t), TIGHT);
        }
    }

    @Test
    void refusesEmptyPeriods() {
        assertThrows(KingfisherException.class, () -> Schedules.step(0, 1));
        assertThrows(KingfisherException.class, () -> Schedules.cosine(0, 0));
        assertThrows(KingfisherException.class, () -> Schedules.oneCycle(1, 10, 2, 25, 1e4, true));
        assertThrows(KingfisherException.class, () -> Schedules.warmUp(-1, Schedules.constant()));
    }
}
