package io.kingfisher.runtime.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The factorizations against closed forms and what they promise. */
class FactorizationsTest {
    private final SplittableRandom random = new SplittableRandom(3);

    private double[] matrix(int rows, int columns) {
        return random.doubles((long) rows * columns, -1, 1).toArray();
    }

    private static double[] multiply(double[] a, double[] b, int m, int k, int n) {
        double[] y = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                for (int p = 0; p < k; p++) {
                    y[i * n + j] += a[i * k + p] * b[p * n + j];
                }
            }
        }
        return y;
    }

    private static double[] transpose(double[] a, int rows, int columns) {
        double[] t = new double[a.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                t[j * rows + i] = a[i * columns + j];
            }
        }
        return t;
    }

    private static double[] diagonal(double... values) {
        double[] d = new double[values.length * values.length];
        for (int i = 0; i < values.length; i++) {
            d[i * values.length + i] = values[i];
        }
        return d;
    }

    private static double[] eye(int n) {
        double[] ones = new double[n];
        java.util.Arrays.fill(ones, 1);
        return diagonal(ones);
    }

    /** The second difference matrix has the eigenvalues 2 - 2 cos(k pi / (n + 1)). */
    @Test
    void eigenvaluesOfTheSecondDifference() {
        for (int n : new int[] {1, 2, 5, 20}) {
            double[] a = new double[n * n], expected = new double[n];
            for (int i = 0; i < n; i++) {
                a[i * n + i] = 2;
                if (i > 0) {
                    a[i * n + i - 1] = -1;
                }
                expected[i] = 2 - 2 * Math.cos((i + 1) * Math.PI / (n + 1));
            }
            var result = JacobiEigen.eigh(a, n);
            assertEquals(0, result.info());
            assertArrayEquals(expected, result.parts()[0], 1e-13);
        }
    }

    @Test
    void eigenvectors() {
        for (int n : new int[] {0, 1, 2, 3, 8, 31}) {
            double[] x = matrix(n, n), a = new double[n * n];
            for (int i = 0; i < n * n; i++) {
                a[i] = x[i] + transpose(x, n, n)[i];
            }
            var result = JacobiEigen.eigh(a, n);
            double[] w = result.parts()[0], v = result.parts()[1], t = transpose(v, n, n);
            assertArrayEquals(a, multiply(multiply(v, diagonal(w), n, n, n), t, n, n, n), 1e-12);
            assertArrayEquals(eye(n), multiply(t, v, n, n, n), 1e-13);
            for (int i = 1; i < n; i++) {
                assertTrue(w[i - 1] <= w[i]);
            }
        }
    }

    /** Hilbert's matrix is positive definite with a condition number of 1e13 at 10. */
    @Test
    void illConditionedEigenvaluesKeepTheirTrace() {
        int n = 10;
        double[] a = new double[n * n];
        double trace = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i * n + j] = 1.0 / (i + j + 1);
            }
            trace += a[i * n + i];
        }
        double[] w = JacobiEigen.eigh(a, n).parts()[0];
        assertEquals(trace, java.util.Arrays.stream(w).sum(), 1e-14);
        assertEquals(1.7519196702651775, w[n - 1], 1e-14);
        assertTrue(w[0] > 0 && w[0] < 2e-13);
    }

    @Test
    void qr() {
        for (int[] size : new int[][] {{1, 1}, {4, 4}, {7, 3}, {3, 7}, {5, 1}, {1, 5}, {0, 3}, {3, 0}}) {
            int m = size[0], n = size[1], k = Math.min(m, n);
            double[] a = matrix(m, n);
            var result = HouseholderQr.qr(a, m, n);
            double[] q = result.parts()[0], r = result.parts()[1];
            assertArrayEquals(a, multiply(q, r, m, k, n), 1e-13);
            assertArrayEquals(eye(k), multiply(transpose(q, m, k), q, k, m, k), 1e-13);
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < i; j++) {
                    assertEquals(0, r[i * n + j]);
                }
            }
        }
    }

    @Test
    void svd() {
        for (int[] size : new int[][] {{1, 1}, {4, 4}, {7, 3}, {3, 7}, {5, 1}, {1, 5}, {0, 3}, {30, 20}}) {
            singularValues(matrix(size[0], size[1]), size[0], size[1]);
        }
        singularValues(new double[12], 4, 3);
        singularValues(multiply(matrix(5, 2), matrix(2, 4), 5, 2, 4), 5, 4);
        double[] values = JacobiSvd.svd(new double[] {3, 0, 4, 5}, 2, 2).parts()[1];
        assertArrayEquals(new double[] {Math.sqrt(45), Math.sqrt(5)}, values, 1e-14);
    }

    private static void singularValues(double[] a, int m, int n) {
        int k = Math.min(m, n);
        var result = JacobiSvd.svd(a, m, n);
        double[] u = result.parts()[0], s = result.parts()[1], vt = result.parts()[2];
        assertEquals(0, result.info());
        assertArrayEquals(a, multiply(multiply(u, diagonal(s), m, k, k), vt, m, k, n), 1e-12);
        assertArrayEquals(eye(k), multiply(transpose(u, m, k), u, k, m, k), 1e-12);
        assertArrayEquals(eye(k), multiply(vt, transpose(vt, k, n), k, n, k), 1e-12);
        for (int i = 1; i < k; i++) {
            assertTrue(s[i - 1] >= s[i] && s[i] >= 0);
        }
    }

    @Test
    void notFinite() {
        double[] broken = {1, 0, Double.NaN, 1};
        assertEquals(1, JacobiEigen.eigh(broken, 2).info());
        assertEquals(1, JacobiSvd.svd(broken, 2, 2).info());
        assertEquals(1, HouseholderQr.qr(broken, 2, 2).info());
    }
}
