package io.kingfisher.runtime.reference;

/** QR by Householder reflections, with LAPACK's signs (Golub and Van Loan, Matrix Computations, 5.2). */
final class HouseholderQr {
    private HouseholderQr() {}

    /** Q [M x K] and R [K x N] of A [M x N], K = min(M, N). */
    static Factorizations.Result qr(double[] matrix, int m, int n) {
        if (!Factorizations.finite(matrix)) {
            return new Factorizations.Result(1, matrix, matrix);
        }
        int k = Math.min(m, n);
        double[] a = matrix.clone();
        double[][] reflectors = new double[k][];
        double[] scales = new double[k];
        for (int j = 0; j < k; j++) {
            double[] v = new double[m];
            double below = 0;
            for (int i = j; i < m; i++) {
                v[i] = a[i * n + j];
                below = i > j ? Math.hypot(below, v[i]) : 0;
            }
            reflectors[j] = v;
            if (below == 0) {
                continue;
            }
            v[j] += Math.copySign(Math.hypot(v[j], below), v[j]);
            double squares = 0;
            for (int i = j; i < m; i++) {
                squares += v[i] * v[i];
            }
            scales[j] = 2 / squares;
            reflect(a, n, v, scales[j], j, m);
        }
        double[] r = new double[k * n], q = new double[m * k];
        for (int i = 0; i < k; i++) {
            q[i * k + i] = 1;
            System.arraycopy(a, i * n + i, r, i * n + i, n - i);
        }
        for (int j = k - 1; j >= 0; j--) {
            reflect(q, k, reflectors[j], scales[j], j, m);
        }
        return new Factorizations.Result(0, q, r);
    }

    /** The rows from {@code from} on of a matrix with that many columns become (I - scale v v^T) times themselves. */
    private static void reflect(double[] a, int columns, double[] v, double scale, int from, int rows) {
        for (int c = 0; c < columns; c++) {
            double dot = 0;
            for (int i = from; i < rows; i++) {
                dot += v[i] * a[i * columns + c];
            }
            for (int i = from; i < rows; i++) {
                a[i * columns + c] -= scale * dot * v[i];
            }
        }
    }
}
