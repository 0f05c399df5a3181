package io.kingfisher.optimizers.exact;

import io.kingfisher.runtime.KingfisherException;

/** Small dense matrices in double precision, as arrays of rows. */
public final class DenseMatrix {
    private DenseMatrix() {}

    /** A B. */
    public static double[][] times(double[][] a, double[][] b) {
        int columns = b.length == 0 ? 0 : b[0].length;
        double[][] result = new double[a.length][columns];
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < b.length; k++) {
                for (int j = 0; j < columns; j++) {
                    result[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return result;
    }

    /** A x. */
    public static double[] times(double[][] a, double[] x) {
        double[] result = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            result[i] = dot(a[i], x);
        }
        return result;
    }

    /** A^T x, of A's number of columns {@code columns}. */
    public static double[] transposedTimes(double[][] a, double[] x, int columns) {
        double[] result = new double[columns];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < columns; j++) {
                result[j] += a[i][j] * x[i];
            }
        }
        return result;
    }

    /** A A^T. */
    public static double[][] gram(double[][] a) {
        double[][] result = new double[a.length][a.length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j <= i; j++) {
                result[i][j] = dot(a[i], a[j]);
                result[j][i] = result[i][j];
            }
        }
        return result;
    }

    public static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    /**
     * (A + damping I)^-1 b for a symmetric A, by Gauss' elimination with row exchanges, so that A need not be definite.
     *
     * @throws KingfisherException where the matrix is singular
     */
    public static double[] solve(double[][] a, double damping, double[] b) {
        int n = a.length;
        double[][] m = new double[n][];
        double[] x = b.clone();
        for (int i = 0; i < n; i++) {
            m[i] = a[i].clone();
            m[i][i] += damping;
        }
        for (int c = 0; c < n; c++) {
            int pivot = c;
            for (int r = c; r < n; r++) {
                pivot = Math.abs(m[r][c]) > Math.abs(m[pivot][c]) ? r : pivot;
            }
            double[] row = m[c];
            m[c] = m[pivot];
            m[pivot] = row;
            double entry = x[c];
            x[c] = x[pivot];
            x[pivot] = entry;
            if (!(Math.abs(m[c][c]) > 0)) {
                throw new KingfisherException("The matrix of " + n + " rows with a damping of " + damping
                        + " is singular in row " + c + "; raise the damping.");
            }
            for (int r = c + 1; r < n; r++) {
                double factor = m[r][c] / m[c][c];
                if (factor != 0) {
                    for (int j = c; j < n; j++) {
                        m[r][j] -= factor * m[c][j];
                    }
                    x[r] -= factor * x[c];
                }
            }
        }
        for (int r = n - 1; r >= 0; r--) {
            for (int j = r + 1; j < n; j++) {
                x[r] -= m[r][j] * x[j];
            }
            x[r] /= m[r][r];
        }
        return x;
    }
}
