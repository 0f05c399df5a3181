package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Node;
import java.util.Arrays;

/** Rows of tables by index. */
final class Tables {
    private Tables() {}

    static double[] gather(Node node, double[] table, double[] indices) {
        Shape shape = node.input(0).shape();
        int rows = shape.size(0), width = width(shape, 1);
        double[] y = Movements.zeros(node.output(0).shape());
        for (int i = 0; i < indices.length; i++) {
            int row = (int) indices[i];
            if (row >= 0 && row < rows) {
                System.arraycopy(table, row * width, y, i * width, width);
            } else {
                Arrays.fill(y, i * width, (i + 1) * width, Double.NaN);
            }
        }
        return y;
    }

    static double[] scatterAdd(Node node, double[] indices, double[] updates) {
        Shape shape = node.output(0).shape();
        int rows = shape.size(0), width = width(shape, 1);
        double[] y = Movements.zeros(shape);
        for (int i = 0; i < indices.length; i++) {
            int row = (int) indices[i];
            if (row >= 0 && row < rows) {
                for (int j = 0; j < width; j++) {
                    y[row * width + j] += updates[i * width + j];
                }
            }
        }
        return y;
    }

    private static int width(Shape shape, int from) {
        return Math.toIntExact(shape.slice(from, shape.rank()).elements());
    }
}
