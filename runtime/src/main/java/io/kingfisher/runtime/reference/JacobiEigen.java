package io.kingfisher.runtime.reference;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The symmetric eigenproblem by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5). */
final class JacobiEigen {
    private static final int SWEEPS = 100;

    private JacobiEigen() {}

    /** Eigenvalues [N], ascending, and eigenvectors [N x N], in columns, of the matrix whose lower triangle is read. */
    static Factorizations.Result eigh(double[] lower, int n) {
        double[] a = lower.clone(), v = new double[n * n];
        for (int i = 0; i < n; i++) {
            v[i * n + i] = 1;
            for (int j = i + 1; j < n; j++) {
                a[i * n + j] = a[j * n + i];
            }
        }
        boolean done = !Factorizations.finite(a);
        if (done) {
            return new Factorizations.Result(1, v, v);
        }
        for (int sweep = 0; !done && sweep < SWEEPS; sweep++) {
            done = true;
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    done &= !rotate(a, v, n, p, q);
                }
            }
        }
        return new Factorizations.Result(done ? 0 : n, sorted(a, v, n));
    }

    /** Zeroes one element by a rotation of two axes; false where it is already negligible. */
    private static boolean rotate(double[] a, double[] v, int n, int p, int q) {
        double off = a[p * n + q], first = a[p * n + p], second = a[q * n + q];
        if (off == 0 || Math.abs(off) <= 1e-18 * Math.sqrt(Math.abs(first)) * Math.sqrt(Math.abs(second))) {
            return false;
        }
        double tau = (second - first) / (2 * off);
        double t = Math.copySign(1, tau) / (Math.abs(tau) + Math.hypot(1, tau));
        if (t == 0 || Math.abs(off) < Double.MIN_NORMAL) {
            return false;
        }
        double c = 1 / Math.hypot(1, t), s = t * c;
        for (int k = 0; k < n; k++) {
            turn(a, k * n + p, k * n + q, c, s);
        }
        for (int k = 0; k < n; k++) {
            turn(a, p * n + k, q * n + k, c, s);
        }
        for (int k = 0; k < n; k++) {
            turn(v, k * n + p, k * n + q, c, s);
        }
        a[p * n + q] = 0;
        a[q * n + p] = 0;
        return true;
    }

    private static void turn(double[] x, int i, int j, double c, double s) {
        double a = x[i], b = x[j];
        x[i] = c * a - s * b;
        x[j] = s * a + c * b;
    }

    private static double[][] sorted(double[] a, double[] v, int n) {
        int[] order = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> a[i * n + i]))
                .mapToInt(i -> i)
                .toArray();
        double[] values = new double[n], vectors = new double[n * n];
        for (int j = 0; j < n; j++) {
            values[j] = a[order[j] * n + order[j]];
            for (int i = 0; i < n; i++) {
                vectors[i * n + j] = v[i * n + order[j]];
            }
        }
        return new double[][] {values, vectors};
    }
}
