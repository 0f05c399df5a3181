package io.kingfisher.optimizers;

/** Tensors as plain double arrays, and what Shampoo-like methods do with them, one element at a time. */
final class ReferenceModes {
    private ReferenceModes() {}

    /** Extents longer than 1; [1] if there are none. */
    static int[] squeezed(long[] shape) {
        int[] kept = java.util.Arrays.stream(shape)
                .filter(d -> d != 1)
                .mapToInt(Math::toIntExact)
                .toArray();
        return kept.length == 0 ? new int[] {1} : kept;
    }

    private static int product(int[] dims, int from, int to) {
        int result = 1;
        for (int i = from; i < to; i++) {
            result *= dims[i];
        }
        return result;
    }

    /** The products of a tensor's slices along a mode. */
    static double[][] moment(double[] x, int[] dims, int mode) {
        int d = dims[mode], before = product(dims, 0, mode), after = product(dims, mode + 1, dims.length);
        double[][] result = new double[d][d];
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < d; j++) {
                for (int b = 0; b < before; b++) {
                    for (int a = 0; a < after; a++) {
                        result[i][j] += x[(b * d + i) * after + a] * x[(b * d + j) * after + a];
                    }
                }
            }
        }
        return result;
    }

    /** The matrix applied along a mode. */
    static double[] times(double[][] m, double[] x, int[] dims, int mode) {
        int d = dims[mode], before = product(dims, 0, mode), after = product(dims, mode + 1, dims.length);
        double[] result = new double[x.length];
        for (int b = 0; b < before; b++) {
            for (int i = 0; i < d; i++) {
                for (int j = 0; j < d; j++) {
                    for (int a = 0; a < after; a++) {
                        result[(b * d + i) * after + a] += m[i][j] * x[(b * d + j) * after + a];
                    }
                }
            }
        }
        return result;
    }

    static double[][] transposed(double[][] m) {
        double[][] result = new double[m[0].length][m.length];
        for (int i = 0; i < m.length; i++) {
            for (int j = 0; j < m[0].length; j++) {
                result[j][i] = m[i][j];
            }
        }
        return result;
    }

    static double norm(double[] x) {
        double sum = 0;
        for (double v : x) {
            sum += v * v;
        }
        return Math.sqrt(sum);
    }

    /** Eigenvectors in columns; a becomes diagonal: cyclic Jacobi rotations. */
    static double[][] eigenvectors(double[][] a) {
        int n = a.length;
        double[][] v = Dense.identity(n);
        double size = 0;
        for (double[] row : a) {
            size += Math.pow(norm(row), 2);
        }
        for (int sweep = 0; sweep < 60; sweep++) {
            double off = 0;
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    off += a[p][q] * a[p][q];
                    rotate(a, v, p, q);
                }
            }
            if (off <= 1e-30 * size) {
                break;
            }
        }
        return v;
    }

    private static void rotate(double[][] a, double[][] v, int p, int q) {
        if (a[p][q] == 0) {
            return;
        }
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        double c = 1 / Math.sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < a.length; k++) {
            double x = a[k][p], y = a[k][q];
            a[k][p] = c * x - s * y;
            a[k][q] = s * x + c * y;
        }
        for (int k = 0; k < a.length; k++) {
            double x = a[p][k], y = a[q][k];
            a[p][k] = c * x - s * y;
            a[q][k] = s * x + c * y;
            x = v[k][p];
            y = v[k][q];
            v[k][p] = c * x - s * y;
            v[k][q] = s * x + c * y;
        }
    }

    /** (A + ridge I)^(-1/p), the ridge a multiple of the largest eigenvalue where relative. */
    static double[][] inverseRoot(double[][] matrix, double p, double ridge, boolean relative) {
        int n = matrix.length;
        double[][] a = Dense.plus(matrix, 0, matrix), v = eigenvectors(a), scaled = Dense.zeros(n, n);
        double largest = 1e-30;
        for (int i = 0; i < n; i++) {
            largest = Math.max(largest, a[i][i]);
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double w = Math.max(a[j][j], 0) + (relative ? ridge * largest : ridge);
                scaled[i][j] = v[i][j] * Math.pow(w, -1 / p);
            }
        }
        return Dense.times(scaled, transposed(v));
    }
}
