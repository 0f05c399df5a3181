package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.conformance.Case.Observation;

/**
 * How far an output may be from the reference's. A NaN must meet a NaN, an infinity the same infinity.
 *
 * @param single the relative error that is allowed in F32
 * @param twice the relative error that is allowed in F64
 * @param floor an absolute error that is allowed besides, as a multiple of the relative one
 * @param whole whether errors are relative to the largest number of the output, as for sums, in which large terms may cancel;
 *     otherwise to each number by itself
 */
record Tolerance(double single, double twice, double floor, boolean whole) {
    /** The rounding reference's distance is one draw of the rounding errors, not their bound. */
    private static final double DRAWS = 16;

    /** For functions of one element. */
    static final Tolerance ELEMENT = new Tolerance(1e-5, 1e-12, 1e-30, false);

    /** For sums of products of up to some thousand terms. */
    static final Tolerance SUM = new Tolerance(1e-5, 1e-12, 1e-30, true);

    /** For ops that only move numbers. */
    static final Tolerance EXACT = new Tolerance(0, 0, 0, false);

    /** The largest error in units of what is allowed, where it is, and the relative error that is allowed there. */
    record Error(double size, int index, double tolerance) {
        double relative() {
            return size == 0 ? 0 : tolerance == 0 ? Double.POSITIVE_INFINITY : size * tolerance;
        }
    }

    Tolerance times(double factor) {
        return new Tolerance(single * factor, twice * factor, floor, whole);
    }

    Tolerance floor(double to) {
        return new Tolerance(single, twice, to, whole);
    }

    Error compare(Observation want, double[] got, double[] rounded) {
        double relative = want.dtype() == DType.F64 ? twice : want.dtype().floating() ? single : 0;
        double largest = 0, moved = 0;
        for (int i = 0; i < got.length; i++) {
            double w = want.values()[i];
            if (Double.isFinite(w)) {
                largest = Math.max(largest, Math.abs(w));
                moved = Double.isFinite(rounded[i]) ? Math.max(moved, Math.abs(rounded[i] - w)) : moved;
            }
        }
        Error worst = new Error(0, 0, relative);
        for (int i = 0; i < got.length; i++) {
            double w = want.values()[i];
            double allowed = relative * ((whole ? largest : Math.abs(w)) + floor) + DRAWS * moved;
            double size = size(w, got[i], allowed);
            if (size > worst.size) {
                worst = new Error(size, i, relative);
            }
        }
        return worst;
    }

    private static double size(double want, double got, double allowed) {
        if (want == got || (Double.isNaN(want) && Double.isNaN(got))) {
            return 0;
        }
        double error = Math.abs(want - got);
        return Double.isFinite(error) && allowed > 0 ? error / allowed : Double.POSITIVE_INFINITY;
    }
}
