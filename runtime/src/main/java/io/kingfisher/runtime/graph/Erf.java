package io.kingfisher.runtime.graph;

/** The error function in double precision, which the JDK lacks. */
final class Erf {
    private static final double TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

    private Erf() {}

    /**
     * erf(x) to about 1e-15: the confluent series 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!! (Abramowitz and Stegun
     * 7.1.6) near 0, where all its terms have one sign, and the continued fraction of erfc (7.1.14) further out.
     */
    static double erf(double x) {
        double a = Math.abs(x);
        if (Double.isNaN(x)) {
            return x;
        }
        if (a > 6) {
            return Math.signum(x);
        }
        return a < 2.5 ? Math.copySign(series(a), x) : Math.copySign(1 - complement(a), x);
    }

    private static double series(double a) {
        double term = a, sum = a;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= 2 * a * a / (2 * n + 1);
            sum += term;
        }
        return TWO_OVER_SQRT_PI * Math.exp(-a * a) * sum;
    }

    private static double complement(double a) {
        double fraction = 0;
        for (int k = 60; k >= 1; k--) {
            fraction = k / 2.0 / (a + fraction);
        }
        return Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
    }
}
