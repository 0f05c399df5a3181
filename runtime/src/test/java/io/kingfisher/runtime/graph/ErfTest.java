package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The error function against tabulated values. */
class ErfTest {
    @Test
    void tabulatedValues() {
        double[][] table = {
            {0.1, 0.1124629160182849}, {0.5, 0.5204998778130465}, {1, 0.8427007929497149}, {1.5, 0.9661051464753108},
            {2, 0.9953222650189527}, {2.5, 0.999593047982555}, {3, 0.9999779095030014}, {3.5, 0.9999992569016276},
            {4, 0.9999999845827421}, {5, 0.9999999999984626}
        };
        for (double[] row : table) {
            assertEquals(row[1], Erf.erf(row[0]), 1.2e-15);
            assertEquals(-row[1], Erf.erf(-row[0]), 1.2e-15);
        }
    }

    @Test
    void endsAndSpecialValues() {
        assertEquals(0, Erf.erf(0));
        assertEquals(1, Erf.erf(Double.POSITIVE_INFINITY));
        assertEquals(-1, Erf.erf(Double.NEGATIVE_INFINITY));
        assertTrue(Double.isNaN(Erf.erf(Double.NaN)));
        assertEquals(Double.NEGATIVE_INFINITY, 1 / Erf.erf(-0.0));
        assertEquals(2 / Math.sqrt(Math.PI) * 1e-10, Erf.erf(1e-10), 1e-25);
    }

    @Test
    void bothFormulasMeet() {
        assertEquals(Erf.erf(2.5), Erf.erf(Math.nextDown(2.5)), 1e-15);
        for (double x = -7; x < 7; x += 0.01) {
            assertTrue(Erf.erf(x) <= Erf.erf(x + 0.01));
        }
    }
}
