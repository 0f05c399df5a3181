package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The one-dimensional transforms of Winograd's F(4, 3), four outputs of a filter of three taps by six products (Lavin and
 * Gray 2016, arXiv 1509.09308): y = A^T [(G g) * (B^T d)]. Applied along both axes they make F(4x4, 3x3).
 *
 * <p>The polynomials are evaluated at 0, 3/4, -3/4, 3/2, -3/2 and infinity. All entries of A and B are then exact in F32, and
 * the errors are half of those at the usual 0, 1, -1, 2, -2: what matters is that powers of the points stay near 1 and that
 * positive and negative points pair (Barabasz, Anderson, Soodhalter and Gregg 2018, arXiv 1803.10986). Pairs share the even
 * and the odd parts of their rows.
 */
enum WinogradTransform {
    /** B^T: six cells of an image to the values at the six points. */
    IMAGE(6) {
        @Override
        int[] compute(Code code, int[] d) {
            int[] near = pair(code, d, NEAR, -FAR * FAR), far = pair(code, d, FAR, -NEAR * NEAR);
            return new int[] {
                ends(code, d[0], d[2], d[4]), near[0], near[1], far[0], far[1], ends(code, d[1], d[3], d[5])
            };
        }

        /** The values at point and -point: d4 + other d2 + point (d3 + other d1) and with - for the first plus. */
        private int[] pair(Code code, int[] d, double point, double other) {
            int even = code.fma(d[2], code.f(other), d[4]);
            int odd = code.fma(d[1], code.f(other), d[3]);
            return sides(code, even, odd, point);
        }

        private int ends(Code code, int first, int second, int third) {
            int sum = code.fma(second, code.f(-(NEAR * NEAR + FAR * FAR)), third);
            return code.fma(first, code.f(NEAR * NEAR * FAR * FAR), sum);
        }
    },
    /** A^T: six products to four outputs. */
    OUTPUT(6) {
        @Override
        int[] compute(Code code, int[] m) {
            int evenNear = code.plus(m[1], m[2]), oddNear = code.minus(m[1], m[2]);
            int evenFar = code.plus(m[3], m[4]), oddFar = code.minus(m[3], m[4]);
            return new int[] {
                code.plus(m[0], code.plus(evenNear, evenFar)),
                weighted(code, oddNear, NEAR, oddFar, FAR),
                weighted(code, evenNear, NEAR * NEAR, evenFar, FAR * FAR),
                code.plus(weighted(code, oddNear, NEAR * NEAR * NEAR, oddFar, FAR * FAR * FAR), m[5])
            };
        }
    },
    /** A^T and what is added to every output, the seventh operand. */
    BIASED_OUTPUT(7) {
        @Override
        int[] compute(Code code, int[] m) {
            int[] y = OUTPUT.compute(code, m);
            for (int i = 0; i < y.length; i++) {
                y[i] = code.plus(y[i], m[6]);
            }
            return y;
        }
    },
    /** A: the gradients of four outputs to those of the six products. */
    OUTPUT_GRADIENT(4) {
        @Override
        int[] compute(Code code, int[] y) {
            int[] near = pair(code, y, NEAR), far = pair(code, y, FAR);
            return new int[] {y[0], near[0], near[1], far[0], far[1], y[3]};
        }

        private int[] pair(Code code, int[] y, double point) {
            int square = code.f(point * point);
            return sides(code, code.fma(y[2], square, y[0]), code.fma(y[3], square, y[1]), point);
        }
    },
    /** G: three weights to their values at the six points. */
    WEIGHT(3) {
        @Override
        int[] compute(Code code, int[] g) {
            int[] near = pair(code, g, NEAR, NEAR_SCALE), far = pair(code, g, FAR, FAR_SCALE);
            return new int[] {code.times(g[0], code.f(ZERO_SCALE)), near[0], near[1], far[0], far[1], g[2]};
        }

        private int[] pair(Code code, int[] g, double point, double scale) {
            int even = weighted(code, g[0], scale, g[2], scale * point * point);
            return sides(code, even, g[1], scale * point);
        }
    },
    /** G^T: sums of products at the six points to the gradients of three weights. */
    WEIGHT_GRADIENT(6) {
        @Override
        int[] compute(Code code, int[] u) {
            int evenNear = code.plus(u[1], u[2]), oddNear = code.minus(u[1], u[2]);
            int evenFar = code.plus(u[3], u[4]), oddFar = code.minus(u[3], u[4]);
            int first = weighted(code, evenNear, NEAR_SCALE, evenFar, FAR_SCALE);
            int last = weighted(code, evenNear, NEAR_SCALE * NEAR * NEAR, evenFar, FAR_SCALE * FAR * FAR);
            return new int[] {
                code.fma(u[0], code.f(ZERO_SCALE), first),
                weighted(code, oddNear, NEAR_SCALE * NEAR, oddFar, FAR_SCALE * FAR),
                code.plus(last, u[5])
            };
        }
    };

    /** The products of a tile along one axis. */
    static final int POINTS = 6;

    /** The outputs of a tile along one axis. */
    static final int OUTPUTS = 4;

    private static final double NEAR = 0.75;
    private static final double FAR = 1.5;
    /** 1 over the products of each point's differences to the other finite ones. */
    private static final double ZERO_SCALE = 1 / (NEAR * NEAR * FAR * FAR);

    private static final double NEAR_SCALE = 1 / (2 * NEAR * NEAR * (NEAR * NEAR - FAR * FAR));
    private static final double FAR_SCALE = 1 / (2 * FAR * FAR * (FAR * FAR - NEAR * NEAR));

    private final int operands;

    WinogradTransform(int operands) {
        this.operands = operands;
    }

    /** Appends the transform of values to the code and returns the numbers of its results. */
    abstract int[] compute(Code code, int[] operands);

    int operands() {
        return operands;
    }

    /** The loop that applies it to rows of operands element by element. */
    LoopSpec spec() {
        Code code = new Code();
        int[] loads = new int[operands];
        for (int i = 0; i < operands; i++) {
            loads[i] = code.load(i, Kind.F);
        }
        List<LoopSpec.Result> results = new ArrayList<>();
        for (int value : compute(code, loads)) {
            results.add(new LoopSpec.Result(value, DType.F32, Access.ELEMENTS, null));
        }
        var operand = new LoopSpec.Operand(DType.F32, Access.ELEMENTS);
        return new LoopSpec(code.insts(), Kind.F, Collections.nCopies(operands, operand), results);
    }

    /** even + point odd and even - point odd. */
    private static int[] sides(Code code, int even, int odd, double point) {
        return new int[] {code.fma(odd, code.f(point), even), code.fma(odd, code.f(-point), even)};
    }

    private static int weighted(Code code, int a, double byA, int b, double byB) {
        return code.fma(b, code.f(byB), code.times(a, code.f(byA)));
    }
}
