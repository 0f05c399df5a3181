package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.conformance.Case.Observation;
import org.junit.jupiter.api.Test;

/** What the suite accepts and what it does not. */
class ToleranceTest {
    private static double size(Tolerance tolerance, DType dtype, double[] want, double... got) {
        return tolerance
                .compare(new Observation(dtype, Shape.of(want.length), want), got, want)
                .size();
    }

    @Test
    void eachNumberByItself() {
        double[] want = {1, 1e-6};
        assertTrue(size(Tolerance.ELEMENT, DType.F32, want, 1 + 9e-6, 1e-6) < 1);
        assertTrue(size(Tolerance.ELEMENT, DType.F32, want, 1 + 1.1e-5, 1e-6) > 1);
        assertTrue(size(Tolerance.ELEMENT, DType.F32, want, 1, 1.1e-6) > 1);
        assertTrue(size(Tolerance.ELEMENT, DType.F64, want, 1 + 1e-11, 1e-6) > 1);
    }

    @Test
    void relativeToTheLargest() {
        double[] want = {1, 1e-6};
        assertTrue(size(Tolerance.SUM, DType.F32, want, 1, 1.1e-6) < 1);
        assertTrue(size(Tolerance.SUM, DType.F32, want, 1, 2e-5) > 1);
    }

    @Test
    void specialValuesMustMeet() {
        double inf = Double.POSITIVE_INFINITY, nan = Double.NaN;
        assertEquals(0, size(Tolerance.SUM, DType.F32, new double[] {nan, inf, -inf}, nan, inf, -inf));
        assertEquals(inf, size(Tolerance.SUM, DType.F32, new double[] {nan, 1}, 0, 1));
        assertEquals(inf, size(Tolerance.SUM, DType.F32, new double[] {0, 1}, nan, 1));
        assertEquals(inf, size(Tolerance.SUM, DType.F32, new double[] {inf, 1}, -inf, 1));
        assertEquals(inf, size(Tolerance.SUM, DType.F32, new double[] {inf, 1}, 1e30, 1));
        assertEquals(inf, size(Tolerance.SUM, DType.F32, new double[] {1, 1}, inf, 1));
    }

    @Test
    void integersAreExact() {
        assertEquals(0, size(Tolerance.SUM, DType.I32, new double[] {7, 8}, 7, 8));
        assertEquals(Double.POSITIVE_INFINITY, size(Tolerance.SUM, DType.I32, new double[] {7, 8}, 7, 9));
        assertEquals(Double.POSITIVE_INFINITY, size(Tolerance.EXACT, DType.F32, new double[] {7, 8}, 7, 8.000001));
    }
}
