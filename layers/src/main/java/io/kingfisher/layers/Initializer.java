package io.kingfisher.layers;

import io.kingfisher.runtime.Shape;
import java.util.Arrays;

/**
 * How a parameter begins. Fans are PyTorch's: for a weight [O x I x ...] the fan in is I times the extents behind it, the fan
 * out O times these.
 */
@FunctionalInterface
public interface Initializer {
    /** Fills the values, in row-major order, of a parameter of this shape. */
    void fill(Philox random, Shape shape, float[] values);

    static Initializer constant(double value) {
        return (_, _, values) -> Arrays.fill(values, (float) value);
    }

    /** Uniform on [-bound, bound). */
    static Initializer uniform(double bound) {
        return (random, _, values) -> {
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (bound * (2 * random.uniform() - 1));
            }
        };
    }

    /** Normal with mean 0. */
    static Initializer normal(double deviation) {
        return (random, _, values) -> {
            double[] drawn = new double[Math.min(values.length, 4096)];
            for (int from = 0; from < values.length; from += drawn.length) {
                random.normal(drawn);
                for (int i = from; i < Math.min(from + drawn.length, values.length); i++) {
                    values[i] = (float) (deviation * drawn[i - from]);
                }
            }
        };
    }

    /** Uniform with the bound 1 / sqrt(fan in): PyTorch's default for linear and convolution layers, biases included. */
    static Initializer fanIn(long fanIn) {
        return uniform(fanIn == 0 ? 0 : 1 / Math.sqrt(fanIn));
    }

    /** Normal with variance 2 / fan out (He et al., 2015, for layers before a ReLU). */
    static Initializer kaimingNormalFanOut() {
        return (random, shape, values) ->
                normal(Math.sqrt(2.0 / (shape.dim(0) * receptive(shape)))).fill(random, shape, values);
    }

    /** Uniform with variance 2 / (fan in + fan out) (Glorot and Bengio, 2010). */
    static Initializer xavierUniform() {
        return (random, shape, values) -> {
            double fans = (shape.dim(0) + shape.dim(1)) * (double) receptive(shape);
            uniform(Math.sqrt(6 / fans)).fill(random, shape, values);
        };
    }

    /**
     * In every row of a weight [O x I] that many standard normal numbers at places drawn without repetition, all other
     * elements 0; a row shorter than that has no zeros (Martens, 2010, section 5).
     */
    static Initializer sparse(int connections) {
        return (random, shape, values) -> {
            int columns = (int) shape.dim(1), drawn = Math.min(connections, columns);
            int[] places = new int[columns];
            double[] weights = new double[drawn];
            for (int row = 0; row < values.length; row += columns) {
                Arrays.setAll(places, i -> i);
                random.normal(weights);
                for (int i = 0; i < drawn; i++) {
                    int other = i + (int) (random.uniform() * (columns - i));
                    int place = places[other];
                    places[other] = places[i];
                    places[i] = place;
                    values[row + place] = (float) weights[i];
                }
            }
        };
    }

    private static long receptive(Shape shape) {
        return shape.slice(2, shape.rank()).elements();
    }
}
