package io.kingfisher.runtime.reference;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The singular value decomposition by one-sided Jacobi rotations (Hestenes, 1958). */
final class JacobiSvd {
    private static final int SWEEPS = 100;
    private static final double NEGLIGIBLE = 1e-16;

    private JacobiSvd() {}

    /** U [M x K], singular values [K], descending, and V^T [K x N] of A [M x N], K = min(M, N). */
    static Factorizations.Result svd(double[] a, int m, int n) {
        if (!Factorizations.finite(a)) {
            return new Factorizations.Result(1, a, a, a);
        }
        // The tall one of A and its transpose has as many columns as singular values.
        boolean wide = m < n;
        int rows = Math.max(m, n), k = Math.min(m, n);
        double[][] u = new double[k][rows], v = new double[k][k];
        for (int j = 0; j < k; j++) {
            v[j][j] = 1;
            for (int i = 0; i < rows; i++) {
                u[j][i] = wide ? a[j * n + i] : a[i * n + j];
            }
        }
        boolean done = false;
        for (int sweep = 0; !done && sweep < SWEEPS; sweep++) {
            done = true;
            for (int p = 0; p < k; p++) {
                for (int q = p + 1; q < k; q++) {
                    done &= !rotate(u, v, p, q);
                }
            }
        }
        double[] norms = new double[k];
        for (int j = 0; j < k; j++) {
            norms[j] = Math.sqrt(dot(u[j], u[j]));
        }
        int[] order = IntStream.range(0, k)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer j) -> norms[j]).reversed())
                .mapToInt(j -> j)
                .toArray();
        double largest = k == 0 ? 0 : norms[order[0]];
        double[][] left = new double[k][], right = new double[k][];
        double[] values = new double[k];
        for (int j = 0; j < k; j++) {
            values[j] = norms[order[j]];
            right[j] = v[order[j]];
            // Rounding noise has no direction: such a vector is replaced by one that is orthogonal to all before.
            left[j] =
                    values[j] > rows * NEGLIGIBLE * largest ? scaled(u[order[j]], 1 / values[j]) : other(left, j, rows);
        }
        double[] first = columns(wide ? right : left, m), last = rows(wide ? left : right, n);
        return new Factorizations.Result(done ? 0 : k, first, values, last);
    }

    /** Makes two columns orthogonal by a rotation; false where they already are. */
    private static boolean rotate(double[][] u, double[][] v, int p, int q) {
        double alpha = dot(u[p], u[p]), beta = dot(u[q], u[q]), gamma = dot(u[p], u[q]);
        if (gamma == 0 || Math.abs(gamma) <= NEGLIGIBLE * u[p].length * Math.sqrt(alpha) * Math.sqrt(beta)) {
            return false;
        }
        double zeta = (beta - alpha) / (2 * gamma);
        double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
        double c = 1 / Math.hypot(1, t), s = t * c;
        turn(u[p], u[q], c, s);
        turn(v[p], v[q], c, s);
        return true;
    }

    private static void turn(double[] x, double[] y, double c, double s) {
        for (int i = 0; i < x.length; i++) {
            double a = x[i], b = y[i];
            x[i] = c * a - s * b;
            y[i] = s * a + c * b;
        }
    }

    /** A unit vector orthogonal to the first {@code count} ones. */
    private static double[] other(double[][] vectors, int count, int rows) {
        double[] best = null;
        double longest = -1;
        for (int axis = 0; axis < rows; axis++) {
            double[] candidate = new double[rows];
            candidate[axis] = 1;
            for (int again = 0; again < 2; again++) {
                for (int j = 0; j < count; j++) {
                    double along = dot(candidate, vectors[j]);
                    for (int i = 0; i < rows; i++) {
                        candidate[i] -= along * vectors[j][i];
                    }
                }
            }
            double length = Math.sqrt(dot(candidate, candidate));
            if (length > longest) {
                longest = length;
                best = scaled(candidate, 1 / length);
            }
        }
        return best;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double[] scaled(double[] a, double by) {
        double[] result = a.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] *= by;
        }
        return result;
    }

    private static double[] columns(double[][] vectors, int rows) {
        double[] result = new double[rows * vectors.length];
        for (int j = 0; j < vectors.length; j++) {
            for (int i = 0; i < rows; i++) {
                result[i * vectors.length + j] = vectors[j][i];
            }
        }
        return result;
    }

    private static double[] rows(double[][] vectors, int columns) {
        double[] result = new double[columns * vectors.length];
        for (int i = 0; i < vectors.length; i++) {
            System.arraycopy(vectors[i], 0, result, i * columns, columns);
        }
        return result;
    }
}
