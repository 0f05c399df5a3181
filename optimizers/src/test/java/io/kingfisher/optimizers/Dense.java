package io.kingfisher.optimizers;

/** Small dense matrices in double precision, row by row. */
final class Dense {
    private Dense() {}

    static double[][] zeros(int rows, int columns) {
        return new double[rows][columns];
    }

    static double[][] identity(int n) {
        double[][] result = zeros(n, n);
        for (int i = 0; i < n; i++) {
            result[i][i] = 1;
        }
        return result;
    }

    static double[][] of(double[] values, int offset, int rows, int columns) {
        double[][] result = zeros(rows, columns);
        for (int i = 0; i < rows; i++) {
            System.arraycopy(values, offset + i * columns, result[i], 0, columns);
        }
        return result;
    }

    static double[][] times(double[][] a, double[][] b) {
        double[][] result = zeros(a.length, b[0].length);
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < b.length; k++) {
                for (int j = 0; j < b[0].length; j++) {
                    result[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return result;
    }

    static double[][] plus(double[][] a, double by, double[][] b) {
        double[][] result = zeros(a.length, a[0].length);
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[0].length; j++) {
                result[i][j] = a[i][j] + by * b[i][j];
            }
        }
        return result;
    }

    static double[][] transposed(double[][] a) {
        double[][] result = zeros(a[0].length, a.length);
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[0].length; j++) {
                result[j][i] = a[i][j];
            }
        }
        return result;
    }

    static double trace(double[][] a) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i][i];
        }
        return sum;
    }

    static double[][] kron(double[][] a, double[][] b) {
        int n = a.length, m = b.length;
        double[][] result = zeros(n * m, n * m);
        for (int i = 0; i < n * m; i++) {
            for (int j = 0; j < n * m; j++) {
                result[i][j] = a[i / m][j / m] * b[i % m][j % m];
            }
        }
        return result;
    }

    /** X of A X = B for matrices [o x i], the elements of which a system orders row by row; by elimination with row exchanges. */
    static double[][] solve(double[][] system, double[][] b) {
        int o = b.length, columns = b[0].length, n = o * columns;
        double[][] a = zeros(n, n + 1);
        for (int r = 0; r < n; r++) {
            System.arraycopy(system[r], 0, a[r], 0, n);
            a[r][n] = b[r / columns][r % columns];
        }
        for (int c = 0; c < n; c++) {
            int pivot = c;
            for (int r = c; r < n; r++) {
                pivot = Math.abs(a[r][c]) > Math.abs(a[pivot][c]) ? r : pivot;
            }
            swap(a, c, pivot);
            for (int r = c + 1; r < n; r++) {
                double f = a[r][c] / a[c][c];
                for (int j = c; f != 0 && j <= n; j++) {
                    a[r][j] -= f * a[c][j];
                }
            }
        }
        double[][] x = zeros(o, columns);
        for (int r = n - 1; r >= 0; r--) {
            double sum = a[r][n];
            for (int j = r + 1; j < n; j++) {
                sum -= a[r][j] * x[j / columns][j % columns];
            }
            x[r / columns][r % columns] = sum / a[r][r];
        }
        return x;
    }

    /** By Gauss and Jordan with row exchanges. */
    static double[][] inverse(double[][] matrix) {
        int n = matrix.length;
        double[][] a = plus(matrix, 0, matrix), inverse = identity(n);
        for (int c = 0; c < n; c++) {
            int pivot = c;
            for (int r = c; r < n; r++) {
                pivot = Math.abs(a[r][c]) > Math.abs(a[pivot][c]) ? r : pivot;
            }
            swap(a, c, pivot);
            swap(inverse, c, pivot);
            double d = a[c][c];
            for (int j = 0; j < n; j++) {
                a[c][j] /= d;
                inverse[c][j] /= d;
            }
            for (int r = 0; r < n; r++) {
                double f = a[r][c];
                if (r != c && f != 0) {
                    for (int j = 0; j < n; j++) {
                        a[r][j] -= f * a[c][j];
                        inverse[r][j] -= f * inverse[c][j];
                    }
                }
            }
        }
        return inverse;
    }

    private static void swap(double[][] a, int i, int j) {
        double[] row = a[i];
        a[i] = a[j];
        a[j] = row;
    }
}
