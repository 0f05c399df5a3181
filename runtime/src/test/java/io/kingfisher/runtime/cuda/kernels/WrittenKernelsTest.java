package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Pool.Window;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.SoftmaxGrad;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.reference.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The kernels that are written by hand, run on the processor. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WrittenKernelsTest {
    private static final List<DType> FLOATING = List.of(DType.F32, DType.F64, DType.BF16, DType.F16);

    private KernelEmulator emulator;
    private Checker checker;

    @BeforeAll
    void open() {
        emulator = KernelEmulator.open();
        checker = new Checker(emulator);
    }

    @AfterAll
    void close() {
        if (emulator != null) {
            emulator.close();
        }
    }

    private static double tolerance(DType dtype) {
        return dtype == DType.F64 ? 1e-12 : 4e-6;
    }

    private static View row(DType dtype, long... extents) {
        return View.of(Type.of(dtype, extents));
    }

    @Test
    void random() {
        double[] state = {123456789, -987654321, 7, 3};
        View view = row(DType.I32, 4);
        for (long[] shape : new long[][] {{1}, {3}, {4}, {1027}, {0}, {33, 65}}) {
            Shape s = Shape.of(shape);
            checker.op(new Random(Random.Distribution.UNIFORM, 5, s), 0, List.of(view), null, state);
            checker.op(new Random(Random.Distribution.RADEMACHER, 5, s), 0, List.of(view), null, state);
            checker.op(new Random(Random.Distribution.NORMAL, 5, s), 1e-7, List.of(view), null, state);
        }
        checker.run();
    }

    @Test
    void tables() {
        double[] indices = {3, 0, 3, 7, -1, 8, 3, 1, 0, 3, 2000000000, -2000000000};
        for (DType dtype : FLOATING) {
            for (long[] width : new long[][] {{}, {1}, {5}, {3, 100}}) {
                Shape table = Shape.of(8).concat(Shape.of(width));
                Shape updates = Shape.of(3, 4).concat(Shape.of(width));
                View index = row(DType.I32, 3, 4);
                Type all = new Type(dtype, table), some = new Type(dtype, updates);
                checker.op(new Gather(), 0, List.of(View.of(all), index), null, Checker.random(all, 1), indices);
                checker.op(
                        new ScatterAdd(8),
                        tolerance(dtype),
                        List.of(index, View.of(some)),
                        null,
                        indices,
                        Checker.random(some, 2));
            }
            Type many = Type.of(dtype, 700, 9);
            double[] rows = Checker.random(Type.of(DType.I32, 700), 3);
            rows[5] = 1500;
            checker.op(
                    new ScatterAdd(2001),
                    tolerance(dtype),
                    List.of(row(DType.I32, 700), View.of(many)),
                    null,
                    rows,
                    Checker.random(many, 4));
            checker.op(new ScatterAdd(3), 0, Type.of(DType.I32, 0), Type.of(dtype, 0, 4));
            checker.op(new ScatterAdd(0), 0, Type.of(DType.I32, 2), Type.of(dtype, 2, 4));
            checker.op(new Gather(), 0, Type.of(dtype, 3, 0), Type.of(DType.I32, 2));
        }
        checker.run();
    }

    @Test
    void softmax() {
        for (DType dtype : FLOATING) {
            for (long[] shape : new long[][] {{7}, {3, 5}, {2, 3, 33}, {9, 1}, {2, 1025}, {5, 2500}, {0, 4}, {4, 0}}) {
                checker.op(new Softmax(), tolerance(dtype), Type.of(dtype, shape));
                checker.op(new SoftmaxGrad(), tolerance(dtype), Type.of(dtype, shape), Type.of(dtype, shape));
            }
            double inf = Double.POSITIVE_INFINITY, nan = Double.NaN;
            double[] special = {
                -inf, 1, 2, -inf, -inf, -inf, 1, inf, 2, 1, nan, 2, 1e4, -1e4, 0, 1e30, 5, -1e30, -inf, -inf, 5
            };
            double[] rounded =
                    Arrays.stream(special).map(x -> Checker.rounded(dtype, x)).toArray();
            checker.op(new Softmax(), tolerance(dtype), List.of(row(dtype, 7, 3)), null, rounded);
        }
        checker.run();
    }

    @Test
    void crossEntropy() {
        for (DType dtype : FLOATING) {
            for (double smoothing : new double[] {0, 0.1}) {
                SoftmaxCrossEntropy op = new SoftmaxCrossEntropy(smoothing, -100);
                for (int width : new int[] {1, 7, 33, 1500}) {
                    int n = 9;
                    double[] labels = {0, width - 1, width / 2, -100, -1, width, 0, 0, -100};
                    Type x = Type.of(dtype, n, width), r = Type.of(dtype, n);
                    View index = row(DType.I32, n);
                    double[] logits = Checker.random(x, 5);
                    checker.op(op, tolerance(dtype), List.of(View.of(x), index), null, logits, labels);
                    double[] lse = new double[n];
                    Arrays.fill(lse, Checker.rounded(dtype, Math.log(width) + 0.5));
                    checker.op(
                            new SoftmaxCrossEntropyGrad(op),
                            tolerance(dtype),
                            List.of(View.of(x), index, View.of(r), View.of(r)),
                            null,
                            logits,
                            labels,
                            lse,
                            Checker.random(r, 6));
                }
                checker.op(op, 0, Type.of(dtype, 0, 4), Type.of(DType.I32, 0));
            }
        }
        checker.run();
    }

    @Test
    void layerNorm() {
        for (DType dtype : FLOATING) {
            for (long[] shape : new long[][] {{5}, {4, 7}, {2, 3, 33}, {1, 1}, {150, 96}, {3, 1100}, {0, 5}}) {
                Type x = Type.of(dtype, shape), d = Type.of(dtype, shape[shape.length - 1]);
                Type r = new Type(dtype, x.shape().slice(0, shape.length - 1));
                checker.op(new LayerNorm(1e-3), tolerance(dtype), x, d, d);
                checker.op(new LayerNormGrad(), 4 * tolerance(dtype), x, d, r, r, x);
            }
        }
        checker.run();
    }

    @Test
    void attention() {
        long[][] sizes = {{1, 1, 1, 1, 1}, {2, 3, 5, 7, 8}, {1, 2, 33, 65, 20}, {2, 1, 70, 40, 64}, {1, 1, 40, 70, 128}
        };
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
            for (long[] size : sizes) {
                for (boolean causal : new boolean[] {false, true}) {
                    Attention op = new Attention(1 / Math.sqrt(size[4]), causal);
                    Type q = Type.of(dtype, size[0], size[1], size[2], size[4]);
                    Type k = Type.of(dtype, size[0], size[1], size[3], size[4]);
                    checker.op(op, 1e-5, q, k, k);
                    // The gradient takes an output and a log-sum-exp that belong to its operands.
                    double[][] operands = {Checker.random(q, 1), Checker.random(k, 2), Checker.random(k, 3)};
                    Graph graph = new Graph();
                    Node node = graph.add(op, graph.input("q", q), graph.input("k", k), graph.input("v", k));
                    double[][] results = Interpreter.run(node, operands);
                    double[] y = Arrays.stream(results[0])
                            .map(x -> Checker.rounded(dtype, x))
                            .toArray();
                    double[] lse = Arrays.stream(results[1]).map(x -> (float) x).toArray();
                    View rows = View.of(new Type(DType.F32, q.shape().slice(0, 3)));
                    List<View> inputs = List.of(View.of(q), View.of(k), View.of(k), View.of(q), rows, View.of(q));
                    List<View> outputs = List.of(View.of(q), View.of(k), View.of(k));
                    double[] dy = Checker.random(q, 4);
                    checker.add(
                            "gradient of " + op,
                            checker.engine().plan(new AttentionGrad(op), inputs, outputs),
                            inputs,
                            outputs,
                            new double[][] {operands[0], operands[1], operands[2], y, lse, dy},
                            attentionGradient(op, q.shape(), k.shape(), operands, y, dy),
                            2e-5);
                }
            }
        }
        checker.run();
    }

    /** The gradients with the given output in the role of the exact one, which halves round. */
    private static double[][] attentionGradient(
            Attention op, Shape query, Shape key, double[][] operands, double[] y, double[] dy) {
        int heads = query.size(0) * query.size(1), queries = query.size(2), keys = key.size(2), width = query.size(3);
        double[] q = operands[0], k = operands[1], v = operands[2];
        double[][] results = {new double[q.length], new double[k.length], new double[v.length]};
        for (int row = 0; row < heads * queries; row++) {
            int first = row / queries * keys, seen = op.causal() ? Math.min(keys, row % queries + 1) : keys;
            double[] weights = new double[seen];
            double sum = 0, inner = 0;
            for (int j = 0; j < seen; j++) {
                for (int c = 0; c < width; c++) {
                    weights[j] += op.scale() * q[row * width + c] * k[(first + j) * width + c];
                }
                weights[j] = Math.exp(weights[j]);
                sum += weights[j];
            }
            for (int c = 0; c < width; c++) {
                inner += y[row * width + c] * dy[row * width + c];
            }
            for (int j = 0; j < seen; j++) {
                double weight = weights[j] / sum, slope = -inner;
                for (int c = 0; c < width; c++) {
                    slope += dy[row * width + c] * v[(first + j) * width + c];
                }
                for (int c = 0; c < width; c++) {
                    int own = row * width + c, other = (first + j) * width + c;
                    results[0][own] += op.scale() * weight * slope * k[other];
                    results[1][other] += op.scale() * weight * slope * q[own];
                    results[2][other] += weight * dy[own];
                }
            }
        }
        return results;
    }

    /** The usual layouts of images. */
    private static List<View> layouts(DType dtype, Shape shape) {
        List<View> views = new ArrayList<>(List.of(View.of(new Type(dtype, shape))));
        if (shape.rank() == 4) {
            long c = shape.dim(1), h = shape.dim(2), w = shape.dim(3);
            views.add(new View(dtype, shape, List.of(c * h * w, 1L, c * w, c), 0));
            // A part of more channels, not the first.
            views.add(new View(dtype, shape, List.of((c + 2) * h * w, 1L, (c + 2) * w, c + 2), 1));
        }
        return views;
    }

    @Test
    void batchNorm() {
        for (DType dtype : FLOATING) {
            for (long[] extents :
                    new long[][] {{5, 3}, {4, 1}, {2, 3, 5}, {2, 3, 4, 5}, {3, 17, 3, 3}, {2, 40, 33, 31}}) {
                Shape shape = Shape.of(extents);
                Type x = new Type(dtype, shape), c = Type.of(dtype, extents[1]);
                for (View view : layouts(dtype, shape)) {
                    double[] image = Checker.random(x, 1), dy = Checker.random(x, 2);
                    double[] scale = Checker.random(c, 3), shift = Checker.random(c, 4);
                    double[] variance =
                            Arrays.stream(Checker.random(c, 5)).map(Math::abs).toArray();
                    View channel = View.of(c);
                    checker.op(
                            new BatchNorm(1e-3),
                            4 * tolerance(dtype),
                            List.of(view, channel, channel),
                            List.of(view, channel, channel),
                            image,
                            scale,
                            shift);
                    checker.op(
                            new BatchNormGrad(1e-1),
                            4 * tolerance(dtype),
                            List.of(view, channel, channel, channel, view),
                            List.of(view, channel, channel),
                            image,
                            scale,
                            shift,
                            variance,
                            dy);
                }
            }
        }
        checker.run();
    }

    @Test
    void batchNormWithResidualAndRelu() {
        Shape shape = Shape.of(3, 5, 4, 6);
        Type x = new Type(DType.F32, shape), c = Type.of(DType.F32, 5);
        double[] image = Checker.random(x, 1), residual = Checker.random(x, 2), dy = Checker.random(x, 3);
        double[] scale = Checker.random(c, 4), shift = Checker.random(c, 5);
        int n = image.length;
        double count = n / 5.0;
        double[] mean = new double[5], variance = new double[5], y = new double[n];
        for (int i = 0; i < n; i++) {
            mean[i / 24 % 5] += image[i] / count;
        }
        for (int i = 0; i < n; i++) {
            variance[i / 24 % 5] += Math.pow(image[i] - mean[i / 24 % 5], 2) / count;
        }
        double[] normal = new double[n], d = new double[n], dx = new double[n];
        double[] dscale = new double[5], dshift = new double[5];
        for (int i = 0; i < n; i++) {
            int k = i / 24 % 5;
            normal[i] = (image[i] - mean[k]) / Math.sqrt(variance[k] + 1e-3);
            y[i] = Math.max(0, normal[i] * scale[k] + shift[k] + residual[i]);
            d[i] = y[i] > 0 ? dy[i] : 0;
            dscale[k] += d[i] * normal[i];
            dshift[k] += d[i];
        }
        for (int i = 0; i < n; i++) {
            int k = i / 24 % 5;
            dx[i] = (d[i] - dshift[k] / count - normal[i] * dscale[k] / count)
                    * scale[k]
                    / Math.sqrt(variance[k] + 1e-3);
        }
        View channel = View.of(c);
        for (View view : layouts(DType.F32, shape)) {
            View plain = View.of(x);
            List<View> inputs = List.of(view, channel, channel, plain), outputs = List.of(view, channel, channel);
            checker.add(
                    "batch norm, residual, relu",
                    checker.engine().batchNorm(new BatchNorm(1e-3), true, true, inputs, outputs),
                    inputs,
                    outputs,
                    new double[][] {image, scale, shift, residual},
                    new double[][] {y, mean, variance},
                    1e-5);
            List<View> given = List.of(view, channel, channel, channel, plain, view);
            List<View> gradients = List.of(plain, channel, channel, view);
            checker.add(
                    "batch norm, residual, relu, gradient",
                    checker.engine().batchNormGrad(new BatchNormGrad(1e-3), true, true, given, gradients),
                    given,
                    gradients,
                    new double[][] {image, scale, mean, variance, dy, y},
                    new double[][] {dx, dscale, dshift, d},
                    1e-5);
        }
        checker.run();
    }

    @Test
    void pools() {
        List<Window> windows = List.of(
                Window.of(2, 2, 0),
                Window.of(3, 2, 1),
                Window.of(3, 1, 1),
                Window.of(1, 2, 0),
                Window.of(2, 3, 0),
                new Window(3, 2, 1, 2, 1, 0),
                new Window(1, 4, 1, 4, 0, 2),
                new Window(5, 6, 1, 1, 0, 0));
        for (Window window : windows) {
            for (long[] extents : new long[][] {{2, 3, 5, 6}, {1, 1, 7, 9}, {0, 2, 5, 6}}) {
                Shape shape = Shape.of(extents), out = window.output(shape);
                for (DType dtype : FLOATING) {
                    Type x = new Type(dtype, shape), y = new Type(dtype, out), cells = new Type(DType.U8, out);
                    double[] image = Checker.random(x, 1), dy = Checker.random(y, 2);
                    for (int layout = 0; layout < 3; layout++) {
                        View in = layouts(dtype, shape).get(layout),
                                pooled = layouts(dtype, out).get(layout);
                        View places = layouts(DType.U8, out).get(layout);
                        double[] where = places(window, shape, image);
                        checker.op(new Pool.MaxPool2d(window), 0, List.of(in), List.of(pooled, places), image);
                        checker.op(
                                new Pool.MaxPool2dGrad(window, shape),
                                tolerance(dtype),
                                List.of(pooled, places),
                                List.of(in),
                                dy,
                                where);
                        checker.op(
                                new Pool.MaxPool2dGather(window),
                                0,
                                List.of(in, places),
                                List.of(pooled),
                                image,
                                where);
                        checker.op(new Pool.AvgPool2d(window), tolerance(dtype), List.of(in), List.of(pooled), image);
                        checker.op(
                                new Pool.AvgPool2dGrad(window, shape),
                                tolerance(dtype),
                                List.of(pooled),
                                List.of(in),
                                dy);
                    }
                    assert cells.shape().equals(y.shape());
                }
            }
        }
        double inf = Double.POSITIVE_INFINITY;
        double[] ties = {1, 1, 0, -1, 1, 1, Double.NaN, -1, -2, -2, -inf, -inf, -2, -1, -inf, -inf};
        checker.op(new Pool.MaxPool2d(Window.of(2, 2, 0)), 0, List.of(row(DType.F32, 1, 1, 4, 4)), null, ties);
        checker.run();
    }

    /** The cells of the maxima, by the reference. */
    private static double[] places(Window window, Shape shape, double[] image) {
        var graph = new io.kingfisher.runtime.graph.Graph();
        var x = graph.input("x", new Type(DType.F64, shape));
        var node = graph.add(new Pool.MaxPool2d(window), x);
        return io.kingfisher.runtime.reference.Interpreter.run(node, new double[][] {image})[1];
    }
}
