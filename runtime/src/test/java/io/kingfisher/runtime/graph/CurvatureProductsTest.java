package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Jacobian-, Hessian- and Gauss-Newton-vector products of small networks against dense matrices of finite differences. */
class CurvatureProductsTest {
    private static final double STEP = 1e-5;

    /** A network: its parameters' shapes and its logits [N x C] for parameters and its own inputs. */
    private record Net(List<Shape> shapes, int classes, BiFunction<Graph, List<Value>, Value> logits) {}

    private static final int ROWS = 3;

    private static final Net MLP = new Net(
            List.of(Shape.of(5, 4), Shape.of(5), Shape.of(3, 5), Shape.of(3)),
            3,
            (g, p) -> data(g, ROWS, 4)
                    .matmul(p.get(0), false, true)
                    .add(p.get(1))
                    .tanh()
                    .matmul(p.get(2), false, true)
                    .add(p.get(3)));

    private static final Net CONV =
            new Net(List.of(Shape.of(2, 1, 3, 3), Shape.of(2), Shape.of(2), Shape.of(3, 8), Shape.of(3)), 3, (g, p) -> {
                Value x = Conv2d.record(Convolution.of(1, 1, 1, 1), data(g, ROWS, 1, 4, 4), p.get(0));
                x = g.add(new BatchNorm(1e-3), x, p.get(1), p.get(2)).output(0).sigmoid();
                x = g.add(new Pool.AvgPool2d(Pool.Window.of(2, 2, 0)), x)
                        .output(0)
                        .reshape(ROWS, 8);
                return x.matmul(p.get(3), false, true).add(p.get(4));
            });

    private static final Net ATTENTION =
            new Net(List.of(Shape.of(4, 4), Shape.of(4), Shape.of(4), Shape.of(3, 4)), 3, (g, p) -> {
                Value x = data(g, ROWS, 2, 4);
                Value h = g.add(new LayerNorm(1e-3), x.matmul(p.get(0)).add(x), p.get(1), p.get(2))
                        .output(0);
                h = h.matmul(h, false, true).softmax().matmul(h);
                return h.mean(1).matmul(p.get(3), false, true);
            });

    private static Value data(Graph g, long... shape) {
        return g.constant(
                DType.F64, Shape.of(shape), numbers(99, (int) Shape.of(shape).elements()));
    }

    private static double[] numbers(long seed, int count) {
        SplittableRandom random = new SplittableRandom(seed);
        return random.doubles(count, -1, 1).toArray();
    }

    @Test
    void multilayerPerceptron() {
        check(MLP);
    }

    @Test
    void convolutionalNetWithBatchNorm() {
        check(CONV);
    }

    @Test
    void attentionWithLayerNorm() {
        check(ATTENTION);
    }

    private static void check(Net net) {
        Graph g = new Graph();
        List<Value> parameters = new ArrayList<>(), vector = new ArrayList<>();
        int total = 0;
        for (Shape shape : net.shapes) {
            parameters.add(g.input("p" + parameters.size(), DType.F64, shape.toArray()));
            vector.add(g.input("v" + vector.size(), DType.F64, shape.toArray()));
            total += (int) shape.elements();
        }
        Value logits = net.logits.apply(g, parameters);
        Value labels = g.constant(DType.I32, Shape.of(ROWS), 2, 0, 1);
        Value loss = g.add(new SoftmaxCrossEntropy(0.1, -1), logits, labels)
                .output(0)
                .mean();
        g.output("logits", logits);
        g.output("softmax", logits.softmax());
        outputs(g, "gradient", Autodiff.gradients(loss, parameters));
        g.output("jvp", Autodiff.jvp(List.of(logits), parameters, vector).get(0));
        outputs(g, "hvp", Autodiff.hessianVectorProduct(loss, parameters, vector));
        outputs(g, "ggn", Autodiff.gaussNewtonVectorProduct(loss, List.of(logits), parameters, vector));
        try (Device device = Device.open("reference");
                Program program = device.compile(g)) {
            double[] start = numbers(7, total), v = numbers(8, total);
            write(program, net, "v", v);
            // Columns: how gradient and logits change along each parameter.
            double[][] hessian = new double[total][], jacobian = new double[total][];
            for (int i = 0; i < total; i++) {
                double[] moved = start.clone();
                moved[i] += STEP;
                write(program, net, "p", moved);
                program.replay();
                double[] gradient = read(program, net, "gradient"),
                        outputs = program.output("logits").doubles();
                moved[i] -= 2 * STEP;
                write(program, net, "p", moved);
                program.replay();
                hessian[i] = slope(gradient, read(program, net, "gradient"));
                jacobian[i] = slope(outputs, program.output("logits").doubles());
            }
            write(program, net, "p", start);
            program.replay();
            double[] jv = columns(jacobian, v);
            assertClose(jv, program.output("jvp").doubles());
            assertClose(columns(hessian, v), read(program, net, "hvp"));
            double[] hjv = lossHessian(program.output("softmax").doubles(), jv, net.classes);
            double[] ggn = new double[total];
            for (int i = 0; i < total; i++) {
                for (int k = 0; k < hjv.length; k++) {
                    ggn[i] += jacobian[i][k] * hjv[k];
                }
            }
            assertClose(ggn, read(program, net, "ggn"));
        }
    }

    /** The Hessian of the mean cross-entropy with respect to the logits, (diag(s) - s s^T) / N row by row, times u. */
    private static double[] lossHessian(double[] s, double[] u, int classes) {
        double[] result = new double[u.length];
        for (int row = 0; row < u.length; row += classes) {
            double dot = 0;
            for (int j = row; j < row + classes; j++) {
                dot += s[j] * u[j];
            }
            for (int j = row; j < row + classes; j++) {
                result[j] = s[j] * (u[j] - dot) / ROWS;
            }
        }
        return result;
    }

    private static double[] slope(double[] above, double[] below) {
        double[] result = new double[above.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (above[i] - below[i]) / (2 * STEP);
        }
        return result;
    }

    private static double[] columns(double[][] columns, double[] v) {
        double[] result = new double[columns[0].length];
        for (int i = 0; i < columns.length; i++) {
            for (int k = 0; k < result.length; k++) {
                result[k] += columns[i][k] * v[i];
            }
        }
        return result;
    }

    private static void assertClose(double[] expected, double[] actual) {
        assertEquals(expected.length, actual.length);
        double scale = 0.1;
        for (double value : expected) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-7 * scale);
        }
    }

    private static void outputs(Graph g, String name, List<Value> values) {
        for (int i = 0; i < values.size(); i++) {
            g.output(name + i, values.get(i));
        }
    }

    private static void write(Program program, Net net, String name, double[] values) {
        int from = 0;
        for (int i = 0; i < net.shapes.size(); i++) {
            int count = (int) net.shapes.get(i).elements();
            program.input(name + i).write(java.util.Arrays.copyOfRange(values, from, from + count));
            from += count;
        }
    }

    private static double[] read(Program program, Net net, String name) {
        return java.util.stream.IntStream.range(0, net.shapes.size())
                .mapToObj(i -> program.output(name + i).doubles())
                .flatMapToDouble(java.util.Arrays::stream)
                .toArray();
    }
}
