package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;

/**
 * The orthogonal factor U V^T of matrices X = U S V^T by a Newton-Schulz iteration, products alone: every singular value s of
 * X / |X| becomes a s + b s^3 + c s^5, again and again.
 *
 * @param a the slope at 0, above 1
 * @param iterations at least 1
 */
public record Polar(double a, double b, double c, int iterations) {
    public Polar {
        if (!(a > 1) || !Double.isFinite(a + b + c) || iterations < 1) {
            throw new KingfisherException(
                    "A Newton-Schulz iteration needs a slope above 1, finite coefficients and at least 1 iteration, not "
                            + a + ", " + b + ", " + c + " and " + iterations + ".");
        }
    }

    /** Jordan et al.'s (2024): singular values come near 1, between 0.68 and 1.21, as fast as can be, and go no nearer. */
    public static Polar fast(int iterations) {
        return new Polar(3.4445, -4.7750, 2.0315, iterations);
    }

    /** The quintic that converges: s = 1 is a root of third order (Higham, Functions of Matrices, 2008, section 8.3). */
    public static Polar exact(int iterations) {
        return new Polar(15.0 / 8, -10.0 / 8, 3.0 / 8, iterations);
    }

    /** The factor of matrices [... x rows x columns]. One that is zero stays zero. */
    public Value of(Value x) {
        if (x.dim(-2) > x.dim(-1)) {
            return of(x.t()).t();
        }
        Value norm = x.square()
                .reduce(io.kingfisher.runtime.graph.Reduce.Kind.SUM, true, -2, -1)
                .sqrt();
        Value result = x.graph().map(Expr.arg(0).div(Expr.arg(1).add(1e-7)), x, norm);
        Expr sum = Expr.arg(0).add(Expr.arg(1));
        for (int i = 0; i < iterations; i++) {
            Value gram = result.matmul(result, false, true);
            Value polynomial = x.graph().map(Expr.arg(0).mul(b).add(Expr.arg(1).mul(c)), gram, gram.matmul(gram));
            result = x.graph().map(sum, result.mul(a), polynomial.matmul(result));
        }
        return result;
    }
}
