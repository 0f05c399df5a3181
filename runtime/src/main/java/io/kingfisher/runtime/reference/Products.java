package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Node;

/** Products of matrices. */
final class Products {
    private Products() {}

    static double[] run(MatMul op, Node node, double[] a, double[] b) {
        Shape out = node.output(0).shape();
        Shape batch = out.slice(0, out.rank() - 2);
        int m = out.size(-2), n = out.size(-1);
        int k = node.input(0).shape().size(op.transposeA() ? -2 : -1);
        int[] placesA = matrices(node.input(0).shape(), batch),
                placesB = matrices(node.input(1).shape(), batch);
        double[] y = Movements.zeros(out);
        for (int i = 0; i < placesA.length; i++) {
            double[] left = matrix(a, placesA[i], m, k, op.transposeA());
            double[] right = matrix(b, placesB[i], k, n, op.transposeB());
            multiply(left, right, y, i * m * n, m, k, n);
        }
        return y;
    }

    /** Where the matrix of each place of the batch starts. */
    private static int[] matrices(Shape shape, Shape batch) {
        int size = shape.size(-1) * shape.size(-2);
        Shape own = shape.slice(0, shape.rank() - 2);
        double[] numbers = new double[Math.toIntExact(own.elements())];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = i;
        }
        double[] broadcast = Movements.broadcast(numbers, own, batch);
        int[] places = new int[broadcast.length];
        for (int i = 0; i < places.length; i++) {
            places[i] = (int) broadcast[i] * size;
        }
        return places;
    }

    /** A copy [rows x columns] of the matrix at a place, which is stored transposed where so said. */
    private static double[] matrix(double[] x, int place, int rows, int columns, boolean transposed) {
        double[] y = new double[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                y[i * columns + j] = x[place + (transposed ? j * rows + i : i * columns + j)];
            }
        }
        return y;
    }

    private static void multiply(double[] a, double[] b, double[] y, int place, int m, int k, int n) {
        for (int i = 0; i < m; i++) {
            for (int p = 0; p < k; p++) {
                double scale = a[i * k + p];
                for (int j = 0; j < n; j++) {
                    y[place + i * n + j] += scale * b[p * n + j];
                }
            }
        }
    }
}
