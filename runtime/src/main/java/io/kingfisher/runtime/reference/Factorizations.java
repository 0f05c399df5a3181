package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import java.util.Arrays;

/** Factorizations of batches of matrices: each matrix is handed to its algorithm, and a failed one's results are NaN. */
final class Factorizations {
    private Factorizations() {}

    /** The results of one matrix, in row-major order, and LAPACK's info. */
    record Result(int info, double[]... parts) {}

    static double[][] run(LinearAlgebra op, Node node, double[][] in) {
        Shape shape = node.input(0).shape();
        int rows = shape.size(-2), columns = shape.size(-1);
        if (op instanceof LinearAlgebra.TriangularSolve(boolean transpose)) {
            return new double[][] {
                solve(in[0], in[1], rows, node.input(1).shape().size(-1), transpose)
            };
        }
        int batch = Math.toIntExact(shape.slice(0, shape.rank() - 2).elements());
        double[][] out = node.outputs().stream()
                .map(value -> Movements.zeros(value.shape()))
                .toArray(double[][]::new);
        for (int b = 0; b < batch; b++) {
            double[] a = Arrays.copyOfRange(in[0], b * rows * columns, (b + 1) * rows * columns);
            Result result = switch (op) {
                case LinearAlgebra.Cholesky _ -> cholesky(a, rows);
                case LinearAlgebra.Eigh _ -> JacobiEigen.eigh(a, rows);
                case LinearAlgebra.Qr _ -> HouseholderQr.qr(a, rows, columns);
                case LinearAlgebra.Svd _ -> JacobiSvd.svd(a, rows, columns);
                case LinearAlgebra.TriangularSolve _ -> throw new IllegalArgumentException("solved above");
            };
            for (int k = 0; k < result.parts().length; k++) {
                int size = out[k].length / batch;
                if (result.info() == 0) {
                    System.arraycopy(result.parts()[k], 0, out[k], b * size, size);
                } else {
                    Arrays.fill(out[k], b * size, (b + 1) * size, Double.NaN);
                }
            }
            out[out.length - 1][b] = result.info();
        }
        return out;
    }

    /** Cholesky and Banachiewicz, column by column; info is the order of the first minor that is not positive. */
    private static Result cholesky(double[] a, int n) {
        double[] l = new double[n * n];
        int info = 0;
        for (int j = 0; j < n && info == 0; j++) {
            for (int i = j; i < n; i++) {
                double rest = a[i * n + j];
                for (int k = 0; k < j; k++) {
                    rest -= l[i * n + k] * l[j * n + k];
                }
                if (i > j) {
                    l[i * n + j] = rest / l[j * n + j];
                } else if (rest > 0) {
                    l[j * n + j] = Math.sqrt(rest);
                } else {
                    info = j + 1;
                    break;
                }
            }
        }
        return new Result(info, l);
    }

    private static double[] solve(double[] a, double[] b, int n, int columns, boolean transpose) {
        double[] x = b.clone();
        int batch = n == 0 ? 0 : a.length / (n * n);
        for (int m = 0; m < batch; m++) {
            int atA = m * n * n, atX = m * n * columns;
            for (int step = 0; step < n; step++) {
                int i = transpose ? n - 1 - step : step;
                for (int c = 0; c < columns; c++) {
                    double rest = x[atX + i * columns + c];
                    for (int done = 0; done < step; done++) {
                        int k = transpose ? n - 1 - done : done;
                        double factor = a[atA + (transpose ? k * n + i : i * n + k)];
                        rest -= factor * x[atX + k * columns + c];
                    }
                    x[atX + i * columns + c] = rest / a[atA + i * n + i];
                }
            }
        }
        return x;
    }

    /** Whether all numbers are finite. */
    static boolean finite(double[] a) {
        return Arrays.stream(a).allMatch(Double::isFinite);
    }
}
