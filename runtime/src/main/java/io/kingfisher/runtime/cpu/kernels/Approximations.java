package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;

/**
 * Functions of floats as exact operations, within 2 units in the last place of the true value for every float. The
 * coefficients are near-minimax fits (Lawson's iteration) weighted by the relative error of the whole function.
 */
final class Approximations {
    private static final double MAGIC = 12582912; // 1.5 * 2^23: adding it rounds to an integer
    private static final int MAGIC_BITS = Float.floatToRawIntBits((float) MAGIC);
    private static final double LN2_HIGH = 0.693115234375; // 12 bits, so that its products with exponents are exact
    private static final double LN2_LOW = 3.194618329871446e-05;

    private final Code code;

    Approximations(Code code) {
        this.code = code;
    }

    private int f(double value) {
        return code.f(value);
    }

    private int lessThan(int a, int b) {
        return code.compare(Op.LT, a, b);
    }

    /** exp(x) = 2^k exp(r) with |r| at most ln(2) / 2; the two factors of 2^k reach beyond the normal numbers. */
    int exp(int x) {
        int low = code.select(lessThan(x, f(-104)), f(-104), x);
        int clipped = code.select(lessThan(f(89), low), f(89), low);
        int shifted = shifted(clipped);
        int y = scaled(clipped, shifted), whole = whole(shifted);
        int half = code.shift(Op.SHR, whole, 1);
        int rest = code.binary(Op.ISUB, whole, half);
        return code.times(code.times(y, powerOfTwo(half)), powerOfTwo(rest));
    }

    /** The same bits for an x between -87 and 88, whose exponential is a normal number. */
    private int normalExp(int x) {
        int shifted = shifted(x);
        return code.times(scaled(x, shifted), powerOfTwo(whole(shifted)));
    }

    /** k in the last bits of a float. */
    private int shifted(int x) {
        return code.fma(x, f(1.4426950216293335), f(MAGIC));
    }

    /** k as an integer. */
    private int whole(int shifted) {
        return code.binary(Op.ISUB, code.bits(shifted), code.i(MAGIC_BITS));
    }

    /** exp(r). */
    private int scaled(int x, int shifted) {
        int k = code.minus(shifted, f(MAGIC));
        int r = code.fma(k, f(-LN2_LOW), code.fma(k, f(-LN2_HIGH), x));
        int q = code.polynomial(
                r,
                0.4999999403953552,
                0.16666515171527863,
                0.04166845604777336,
                0.008369418792426586,
                0.0013813142431899905);
        return code.plus(f(1), code.fma(code.times(r, r), q, r));
    }

    private int powerOfTwo(int k) {
        return code.floatOf(code.shift(Op.SHL, code.binary(Op.IADD, k, code.i(127)), 23));
    }

    /** log(x) = e ln(2) + log(1 + f) with 1 + f between sqrt(1/2) and sqrt(2). */
    int log(int x) {
        int tiny = lessThan(x, f(Float.MIN_NORMAL));
        int bits = code.bits(code.select(tiny, code.times(x, f(0x1p24)), x));
        int exponent = code.shift(Op.SHR, code.binary(Op.ISUB, bits, code.i(0x3f3504f3)), 23);
        int f = code.minus(code.floatOf(code.binary(Op.ISUB, bits, code.shift(Op.SHL, exponent, 23))), f(1));
        int e = code.minus(code.convert(Op.I2F, Kind.F, exponent), code.select(tiny, f(24), f(0)));
        int p = code.polynomial(
                f,
                0.3333331346511841,
                -0.25000008940696716,
                0.2000211924314499,
                -0.16667985916137695,
                0.1421951949596405,
                -0.12405756115913391,
                0.11888603121042252,
                -0.11674807220697403,
                0.06744542717933655);
        int square = code.times(f, f);
        int small = code.fma(e, f(LN2_LOW), code.times(code.times(f, square), p));
        int y = code.fma(e, f(LN2_HIGH), code.plus(f, code.fma(f(-0.5), square, small)));
        int orNotFinite = code.select(lessThan(x, f(Float.POSITIVE_INFINITY)), y, x);
        int orZero = code.select(code.compare(Op.EQ, x, f(0)), f(Float.NEGATIVE_INFINITY), orNotFinite);
        return code.select(lessThan(x, f(0)), f(Float.NaN), orZero);
    }

    /** x + x^3 P(x^2) near 0, else 1 - 2 e / (1 + e) with e = exp(-2|x|). */
    int tanh(int x) {
        int a = code.unary(Op.ABS, x);
        int s = code.times(x, x);
        int p = code.polynomial(
                s,
                -0.3333333134651184,
                0.13333196938037872,
                -0.05394551903009415,
                0.021693678572773933,
                -0.008159550838172436,
                0.002126223873347044);
        int near = code.fma(code.times(s, a), p, a);
        int e = exp(code.times(a, f(-2)));
        int far = code.minus(f(1), code.over(code.plus(e, e), code.plus(f(1), e)));
        return withSignOf(x, code.select(lessThan(a, f(0.625)), near, far));
    }

    /** With z = exp(-|x|), which does not overflow, and w = z / (1 + z): 1 - w, and z - z w for negative x. */
    int sigmoid(int x) {
        int z = exp(code.unary(Op.NEG, code.unary(Op.ABS, x)));
        int w = code.over(z, code.plus(f(1), z));
        int negative = code.fma(code.unary(Op.NEG, z), w, z);
        return code.select(lessThan(x, f(0)), negative, code.minus(f(1), w));
    }

    /** x (1 + P(x^2)) up to 1, then 1 - exp(Q(|x|)) where Q approximates the logarithm of 1 - erf. */
    int erf(int x) {
        int a = code.unary(Op.ABS, x);
        int p = code.polynomial(
                code.times(x, x),
                0.12837916612625122,
                -0.3761262595653534,
                0.1128358542919159,
                -0.026853810995817184,
                0.00518832728266716,
                -0.000801019137725234,
                7.853854185668752e-05);
        int near = code.fma(x, p, x);
        int clipped = code.select(lessThan(f(4), a), f(4), a);
        int q = code.polynomial(
                clipped,
                0.00018847041064873338,
                -1.1295803785324097,
                -0.633216381072998,
                -0.10842212289571762,
                0.02521035633981228,
                -0.004205291159451008,
                0.0004414739378262311,
                -2.1697722331737168e-05);
        int far = code.minus(f(1), normalExp(q));
        return code.select(lessThan(a, f(1)), near, withSignOf(x, far));
    }

    /** max(x, 0) + log(1 + z), z = exp(-|x|), by the series of atanh in z / (2 + z). */
    int softplus(int x) {
        int z = exp(code.unary(Op.NEG, code.unary(Op.ABS, x)));
        int s = code.over(z, code.plus(f(2), z));
        int square = code.times(s, s);
        int r = code.times(
                square,
                code.polynomial(
                        square,
                        0.6666667461395264,
                        0.39998888969421387,
                        0.2861659824848175,
                        0.21430736780166626,
                        0.2428956776857376));
        int half = code.times(code.times(f(0.5), z), z);
        int log1p = code.minus(z, code.minus(half, code.times(s, code.plus(half, r))));
        return code.plus(code.select(lessThan(x, f(0)), f(0), x), log1p);
    }

    /** The greatest integer not above x; -0 stays -0. */
    int floor(int x) {
        int truncated = code.convert(Op.I2F, Kind.F, code.convert(Op.F2I, Kind.I, x));
        int floor = code.select(lessThan(x, truncated), code.minus(truncated, f(1)), truncated);
        return code.select(lessThan(code.unary(Op.ABS, x), f(0x1p23)), withSignOf(x, floor), x);
    }

    /** {@code y}, which is not negative or has x's sign, with x's sign. */
    private int withSignOf(int x, int y) {
        int sign = code.binary(Op.IAND, code.bits(x), code.i(Integer.MIN_VALUE));
        return code.floatOf(code.binary(Op.IOR, code.bits(y), sign));
    }
}
