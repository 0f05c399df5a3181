package io.kingfisher.runtime.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The reference's results against numbers worked out by hand and against formulas written the other way round. */
class ReferenceOpsTest {
    private static final double NAN = Double.NaN;

    private static double[] run(Function<Graph, Value> recording) {
        Graph g = new Graph();
        g.output("y", recording.apply(g));
        try (Device device = Device.open("reference");
                var program = device.compile(g)) {
            program.replay();
            return program.output("y").doubles();
        }
    }

    private static Value f64(Graph g, Shape shape, double... values) {
        return g.constant(DType.F64, shape, values);
    }

    private static Value counting(Graph g, long... shape) {
        int n = (int) Shape.of(shape).elements();
        return g.iota(DType.F64, n).reshape(shape);
    }

    private static Value i32(Graph g, double... values) {
        return g.constant(DType.I32, Shape.of(values.length), values);
    }

    @Test
    void movements() {
        assertArrayEquals(
                new double[] {0, 3, 1, 4, 2, 5}, run(g -> counting(g, 2, 3).t()));
        assertArrayEquals(
                new double[] {0, 4, 1, 5, 2, 6, 3, 7},
                run(g -> counting(g, 2, 2, 2).transpose(1, 2, 0)));
        assertArrayEquals(
                new double[] {0, 0, 1, 1, 0, 0, 1, 1},
                run(g -> counting(g, 2, 1).broadcastTo(Shape.of(2, 2, 2))));
        assertArrayEquals(
                new double[] {4, 5, 7, 8},
                run(g -> counting(g, 3, 3).slice(0, 1, 3).slice(1, 1, 3)));
        assertArrayEquals(
                new double[] {0, 0, 0, 0, 0, 1, 0, 2, 3},
                run(g -> g.add(new Movement.Pad(List.of(1L, 1L), List.of(0L, 0L)), counting(g, 2, 2))
                        .output(0)));
        assertArrayEquals(
                new double[] {0, 1, 0, 2, 3, 1}, run(g -> g.concat(1, List.of(counting(g, 2, 2), counting(g, 2, 1)))));
    }

    @Test
    void reductions() {
        assertArrayEquals(new double[] {3, 12}, run(g -> counting(g, 2, 3).sum(1)));
        assertArrayEquals(new double[] {3, 5, 7}, run(g -> counting(g, 2, 3).sum(0)));
        assertArrayEquals(new double[] {10, 18}, run(g -> counting(g, 2, 2, 2).sum(0, 2)));
        assertArrayEquals(new double[] {5}, run(g -> counting(g, 2, 3).max()));
        assertArrayEquals(new double[] {0, 3}, run(g -> counting(g, 2, 3).reduce(Reduce.Kind.MIN, true, -1)));
        assertArrayEquals(
                new double[] {NAN}, run(g -> f64(g, Shape.of(3), 1, NAN, 2).max()));
        assertArrayEquals(
                new double[] {-1 / 0.0, -1 / 0.0}, run(g -> counting(g, 2, 0).max(1)));
        assertArrayEquals(new double[] {0, 0}, run(g -> counting(g, 2, 0).sum(1)));
    }

    @Test
    void products() {
        assertArrayEquals(
                new double[] {10, 13, 28, 40}, run(g -> counting(g, 2, 3).matmul(counting(g, 3, 2))));
        assertArrayEquals(
                new double[] {5, 14, 14, 50}, run(g -> counting(g, 2, 3).matmul(counting(g, 2, 3), false, true)));
        assertArrayEquals(
                new double[] {2, 3, 6, 11, 10, 19, 14, 27},
                run(g -> counting(g, 2, 2, 2).matmul(counting(g, 1, 2, 2))));
        assertArrayEquals(new double[4], run(g -> counting(g, 2, 0).matmul(counting(g, 0, 2))));
    }

    /** Every output cell gathered over the window, where the reference spreads every weight over the output. */
    @Test
    void convolution() {
        SplittableRandom random = new SplittableRandom(1);
        int n = 2, groups = 2, ins = 2, outs = 3, h = 7, w = 6, kh = 3, kw = 2;
        Convolution c = new Convolution(2, 1, 1, 2, 1, 3, groups);
        double[] x = random.doubles((long) n * groups * ins * h * w, -1, 1).toArray();
        double[] k = random.doubles((long) groups * outs * ins * kh * kw, -1, 1).toArray();
        Shape image = Shape.of(n, groups * ins, h, w), weight = Shape.of(groups * outs, ins, kh, kw);
        Shape out = c.output(image, weight);
        double[] expected = new double[(int) out.elements()];
        for (int i = 0; i < expected.length; i++) {
            int v = i % out.size(3), u = i / out.size(3) % out.size(2);
            int o = i / (out.size(3) * out.size(2)) % out.size(1), b = i / (out.size(3) * out.size(2) * out.size(1));
            for (int j = 0; j < ins * kh * kw; j++) {
                int column = v * c.strideW() - c.paddingW() + j % kw * c.dilationW();
                int row = u * c.strideH() - c.paddingH() + j / kw % kh * c.dilationH();
                int channel = o / outs * ins + j / (kw * kh);
                if (row >= 0 && row < h && column >= 0 && column < w) {
                    expected[i] += k[o * ins * kh * kw + j] * x[((b * groups * ins + channel) * h + row) * w + column];
                }
            }
        }
        assertArrayEquals(
                expected,
                run(g -> g.add(new Conv2d(c), f64(g, image, x), f64(g, weight, k))
                        .output(0)),
                1e-13);
    }

    @Test
    void pools() {
        Pool.Window window = Pool.Window.of(3, 2, 1);
        assertArrayEquals(
                new double[] {5, 7, 13, 15},
                run(g -> g.add(new Pool.MaxPool2d(window), counting(g, 1, 1, 4, 4))
                        .output(0)));
        assertArrayEquals(
                new double[] {8, 8, 8, 8},
                run(g -> g.add(new Pool.MaxPool2d(window), counting(g, 1, 1, 4, 4))
                        .output(1)));
        // Padding counts as zeros: (0 + 1 + 4 + 5) / 9.
        assertArrayEquals(
                new double[] {10 / 9.0, 24 / 9.0, 51 / 9.0, 90 / 9.0},
                run(g -> g.add(new Pool.AvgPool2d(window), counting(g, 1, 1, 4, 4))
                        .output(0)),
                1e-14);
    }

    @Test
    void tables() {
        assertArrayEquals(
                new double[] {4, 5, 0, 1, NAN, NAN, NAN, NAN},
                run(g -> counting(g, 3, 2).gather(i32(g, 2, 0, 3, -1))));
        assertArrayEquals(
                new double[] {2, 3, 4, 6, 0, 0},
                run(g -> g.add(new ScatterAdd(3), i32(g, 1, 0, 1, 5), counting(g, 4, 2))
                        .output(0)));
    }

    @Test
    void crossEntropy() {
        double lse = Math.log(1 + Math.exp(1) + Math.exp(2));
        assertArrayEquals(
                new double[] {lse - 0.9 * 2 - 0.1, 0, NAN},
                run(g -> g.add(
                                new SoftmaxCrossEntropy(0.1, -1),
                                counting(g, 1, 3).broadcastTo(Shape.of(3, 3)),
                                i32(g, 2, -1, 3))
                        .output(0)),
                1e-14);
        assertArrayEquals(
                new double[] {Math.exp(-lse), Math.exp(1 - lse), Math.exp(2 - lse)},
                run(g -> counting(g, 3).softmax()),
                1e-15);
    }

    @Test
    void cholesky() {
        double[] a = {4, NAN, NAN, 12, 37, NAN, -16, -43, 98};
        assertArrayEquals(
                new double[] {2, 0, 0, 6, 1, 0, -8, 5, 3},
                run(g -> g.add(new LinearAlgebra.Cholesky(), f64(g, Shape.of(3, 3), a))
                        .output(0)),
                1e-14);
        assertArrayEquals(
                new double[] {0, 2, 1},
                run(g -> g.add(
                                new LinearAlgebra.Cholesky(),
                                f64(g, Shape.of(3, 2, 2), 1, 0, 0, 1, 1, 2, 2, 1, NAN, 0, 0, 1))
                        .output(1)));
        assertArrayEquals(
                new double[] {2, 2 / 3.0},
                run(g ->
                        LinearAlgebra.solve(f64(g, Shape.of(2, 2), 2, NAN, 1, 3), f64(g, Shape.of(2, 1), 4, 4), false)),
                1e-15);
        assertArrayEquals(
                new double[] {4 / 3.0, 4 / 3.0},
                run(g -> LinearAlgebra.solve(f64(g, Shape.of(2, 2), 2, NAN, 1, 3), f64(g, Shape.of(2, 1), 4, 4), true)),
                1e-15);
    }
}
