package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Pool.Window;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Elementwise kernels, reductions and movements as they are written for CUDA, run on the processor. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GeneratedKernelsTest {
    private static final Expr X = Expr.arg(0), Y = Expr.arg(1);
    private static final double[] SPECIAL = {
        0,
        -0.0,
        1,
        -1,
        0.5,
        -0.5,
        2,
        -2,
        3,
        20.5,
        -20.5,
        85,
        -85,
        1e10,
        -1e10,
        Double.NaN,
        1.0 / 0,
        -1.0 / 0,
        1e-20,
        1e30
    };

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

    private static Map map(Expr expr, DType dtype) {
        return new Map(List.of(expr), List.of(dtype), null);
    }

    private static View row(DType dtype, long... extents) {
        return View.of(new Type(dtype, Shape.of(extents)));
    }

    @Test
    void everyFunctionOnSpecialValues() {
        double[][] pairs = new double[2][SPECIAL.length * SPECIAL.length];
        for (int i = 0; i < pairs[0].length; i++) {
            pairs[0][i] = SPECIAL[i / SPECIAL.length];
            pairs[1][i] = SPECIAL[i % SPECIAL.length];
        }
        for (DType dtype : List.of(DType.F32, DType.F64)) {
            double tolerance = dtype == DType.F64 ? 1e-13 : 2e-6;
            for (UnaryOp op : UnaryOp.values()) {
                double[] numbers = Arrays.stream(SPECIAL)
                        .filter(x -> op != UnaryOp.SIN && op != UnaryOp.COS || !(Math.abs(x) > 100))
                        .map(x -> Checker.rounded(dtype, x))
                        .toArray();
                checker.op(
                        map(Expr.unary(op, X), dtype), tolerance, List.of(row(dtype, numbers.length)), null, numbers);
            }
            double[][] rounded = Arrays.stream(pairs)
                    .map(numbers -> Arrays.stream(numbers)
                            .map(x -> Checker.rounded(dtype, x))
                            .toArray())
                    .toArray(double[][]::new);
            View all = row(dtype, rounded[0].length);
            for (BinaryOp op : BinaryOp.values()) {
                checker.op(map(Expr.binary(op, X, Y), dtype), tolerance, List.of(all, all), null, rounded);
            }
            checker.op(map(Expr.select(X, Y, Expr.of(7)), dtype), 0, List.of(all, all), null, rounded);
            for (double exponent : new double[] {0, -1, -2, 3, 0.5, -0.5, 1.5}) {
                checker.op(map(X.pow(exponent), dtype), tolerance, List.of(all), null, rounded[0]);
            }
        }
        checker.run();
    }

    @Test
    void typesAndConversions() {
        Map three = new Map(
                List.of(X.mul(3), X.mul(300), X.lessThan(Y), X.add(Y).tanh()),
                List.of(DType.F32, DType.I32, DType.U8, DType.BF16),
                null);
        for (DType dtype : DType.values()) {
            for (long n : new long[] {0, 1, 7, 64, 1027}) {
                checker.op(three, 1e-6, Type.of(dtype, n), Type.of(DType.BF16, n));
                checker.op(map(X, dtype), 0, Type.of(dtype, n));
            }
        }
        double[] wild = {0, 1.9, -1.9, 255, 127.5, 1e6, 3.25, -7, 200, 3e9, -3e9, Double.NaN, 1.0 / 0, -1.0 / 0};
        for (DType from : List.of(DType.F32, DType.F64)) {
            checker.op(map(X, DType.I32), 0, List.of(row(from, wild.length)), null, wild);
        }
        double[] halves = {0, -1.5, 1.00390625, 1.01171875, Double.NaN, 3e38, 1e-40, 1.0 / 0};
        checker.op(
                map(X, DType.BF16),
                0,
                List.of(row(DType.F32, 8)),
                null,
                Arrays.stream(halves).map(x -> (float) x).toArray());
        double[] small = {
            0, -1.5, 1 + 0x1p-11, 1 + 0x3p-11, Double.NaN, 65519, 65520, 6e-8, 2e-8, 1e-5, -3e-6, 1.0 / 0, 1e30
        };
        checker.op(
                map(X, DType.F16),
                0,
                List.of(row(DType.F32, 13)),
                null,
                Arrays.stream(small).map(x -> (float) x).toArray());
        double[] all = new double[1 << 16];
        for (int i = 0; i < all.length; i++) {
            all[i] = Float.float16ToFloat((short) i);
        }
        checker.op(map(X, DType.F32), 0, List.of(row(DType.F16, all.length)), null, all);
        checker.op(map(X.mul(1), DType.F16), 0, List.of(row(DType.F16, all.length)), null, all);
        checker.run();
    }

    @Test
    void broadcasts() {
        long[][][] pairs = {
            {{}, {}},
            {{}, {3}},
            {{4, 1}, {1, 5}},
            {{4, 5}, {5}},
            {{4, 8}, {8}},
            {{4, 8}, {4, 1}},
            {{2, 3, 4}, {3, 1}},
            {{2, 1, 4}, {1, 3, 1}},
            {{2, 3, 5, 7}, {3, 1, 1}},
            {{2, 3, 8, 8}, {3, 1, 1}},
            {{2, 1, 3, 1, 2}, {4, 1, 3, 1}},
            {{0, 3}, {3}},
            {{300, 17}, {17}},
            {{17, 1}, {1, 300}}
        };
        for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16)) {
            for (long[][] pair : pairs) {
                checker.op(map(X.mul(Y).sub(Y), dtype), 1e-6, Type.of(dtype, pair[0]), Type.of(dtype, pair[1]));
            }
        }
        // Channels last and out of the middle of something larger.
        View last = new View(DType.F32, Shape.of(2, 8, 3, 5), List.of(120L, 1L, 40L, 8L), 0);
        View odd = new View(DType.F32, Shape.of(2, 8, 3, 5), List.of(200L, 1L, 60L, 11L), 3);
        View plain = row(DType.F32, 2, 8, 3, 5), channel = row(DType.F32, 8, 1, 1);
        double[] numbers = Checker.random(new Type(DType.F32, plain.shape()), 1);
        double[] scales = Checker.random(new Type(DType.F32, channel.shape()), 2);
        for (View from : List.of(last, odd, plain)) {
            for (View to : List.of(last, odd, plain)) {
                checker.op(map(X.mul(Y), DType.F32), 1e-6, List.of(from, channel), List.of(to), numbers, scales);
            }
        }
        checker.run();
    }

    @Test
    void manyAtOnce() {
        Expr moment = Y.mul(0.9).add(X.mul(0.1));
        Expr step = Expr.arg(2).sub(moment.div(X.square().sqrt().add(1e-8)).mul(Expr.arg(3)));
        List<KernelEngine.Elementwise> all = new ArrayList<>();
        List<View> inputs = new ArrayList<>(), outputs = new ArrayList<>();
        List<double[]> given = new ArrayList<>(), expected = new ArrayList<>();
        List<Integer> operands = new ArrayList<>();
        long[][] shapes = {{3, 37}, {1}, {64, 64}, {0}, {5001}, {2, 3, 5}};
        int count = shapes.length;
        for (int s = 0; s < count; s++) {
            View view = row(DType.F32, shapes[s]), rate = row(DType.F32);
            // The fourth and the last have another expression than the others.
            List<Expr> exprs = s >= 4 ? List.of(moment, step.neg()) : List.of(moment, step);
            all.add(new KernelEngine.Elementwise(exprs, List.of(view, view, view, rate), List.of(view, view)));
            double[][] numbers = new double[4][];
            for (int i = 0; i < 4; i++) {
                numbers[i] = Checker.random(new Type(DType.F32, i == 3 ? rate.shape() : view.shape()), 10L * s + i);
                inputs.add(i == 3 ? rate : view);
                given.add(numbers[i]);
                operands.add(4 * s + i);
            }
            operands.add(4 * count + 2 * s);
            operands.add(4 * count + 2 * s + 1);
            for (int r = 0; r < 2; r++) {
                double[] result = new double[numbers[0].length];
                for (int i = 0; i < result.length; i++) {
                    result[i] = Exprs.evaluate(exprs, numbers[0][i], numbers[1][i], numbers[2][i], numbers[3][0])[r];
                }
                outputs.add(view);
                expected.add(result);
            }
        }
        KernelPlan plan = Movements.renumbered(checker.engine().together(all), operands);
        org.junit.jupiter.api.Assertions.assertEquals(1, plan.launches().size());
        checker.add(
                "many maps",
                plan,
                inputs,
                outputs,
                given.toArray(double[][]::new),
                expected.toArray(double[][]::new),
                1e-5);
        checker.run();
    }

    @Test
    void reductions() {
        for (Reduce.Kind kind : Reduce.Kind.values()) {
            for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.F16)) {
                double tolerance = dtype == DType.F64 ? 1e-13 : 2e-6;
                for (long[] shape : new long[][] {{7}, {5, 3}, {2, 3, 5}, {3, 2, 4, 5}, {1, 3, 1}}) {
                    for (int subset = 1; subset < 1 << shape.length; subset++) {
                        int bits = subset;
                        List<Integer> axes = IntStream.range(0, shape.length)
                                .filter(axis -> (bits >> axis & 1) == 1)
                                .boxed()
                                .toList();
                        checker.op(new Reduce(kind, axes), tolerance, Type.of(dtype, shape));
                    }
                }
                boolean most = kind == Reduce.Kind.SUM && dtype == DType.F32;
                long[][] shapes = {{3, 5003}, {5003, 3}, {70, 33, 4}, {9000, 40}, {1, 70000}};
                for (long[] shape : Arrays.copyOf(shapes, most ? 5 : 3)) {
                    for (int axis = 0; axis < shape.length; axis++) {
                        checker.op(new Reduce(kind, List.of(axis)), tolerance, Type.of(dtype, shape));
                    }
                }
                checker.op(new Reduce(kind, List.of(0, 2)), tolerance, Type.of(dtype, 70, 33, 4));
                for (long[] shape : new long[][] {{0}, {0, 3}, {3, 0}, {2, 0, 3}}) {
                    checker.op(new Reduce(kind, List.of(0)), 0, Type.of(dtype, shape));
                }
            }
            double[] special = {1, Double.NaN, 2, -1.0 / 0, 3, 4, 5, 6, 1.0 / 0, -0.0, 0, -0.0, 1.0 / 0, -1.0 / 0, 1};
            for (int axis = 0; axis < 2; axis++) {
                checker.op(new Reduce(kind, List.of(axis)), 1e-6, List.of(row(DType.F32, 5, 3)), null, special);
            }
        }
        checker.run();
    }

    @Test
    void reductionsOfExpressionsOnViews() {
        Shape shape = Shape.of(4, 16, 5, 7);
        View last = new View(DType.F32, shape, List.of(560L, 1L, 112L, 16L), 0);
        View plain = View.of(new Type(DType.F32, shape)), mean = row(DType.F32, 16, 1, 1);
        View odd = new View(DType.BF16, shape, List.of(700L, 40L, 8L, 1L), 5);
        double[] x = Checker.random(new Type(DType.BF16, shape), 1),
                m = Checker.random(Type.of(DType.F32, 16, 1, 1), 2);
        List<Expr> exprs = List.of(X.sub(Y).square(), X.sub(Y), X);
        List<Reduce.Kind> kinds = List.of(Reduce.Kind.SUM, Reduce.Kind.SUM, Reduce.Kind.MAX);
        double[][] expected = new double[3][16];
        Arrays.fill(expected[2], Double.NEGATIVE_INFINITY);
        for (int i = 0; i < x.length; i++) {
            int c = i / 35 % 16;
            expected[0][c] += (x[i] - m[c]) * (x[i] - m[c]);
            expected[1][c] += x[i] - m[c];
            expected[2][c] = Math.max(expected[2][c], x[i]);
        }
        List<View> outputs = Collections.nCopies(3, row(DType.F32, 16));
        for (View view : List.of(last, plain, odd)) {
            List<View> inputs = List.of(view, mean);
            KernelPlan plan = checker.engine().reduce(exprs, kinds, shape, List.of(0, 2, 3), inputs, outputs);
            checker.add("channel sums", plan, inputs, outputs, new double[][] {x, m}, expected, 2e-6);
        }
        checker.run();
    }

    /** What is done where an array has more than 2^31 elements. */
    @Test
    void indicesOf64Bits() {
        Checker wide = new Checker(emulator, new KernelEngine(Checker.DEVICE, 0));
        for (DType dtype : List.of(DType.F32, DType.BF16)) {
            wide.op(map(X.mul(Y).sub(Y), dtype), 1e-6, Type.of(dtype, 2, 3, 5, 8), Type.of(dtype, 3, 1, 1));
            wide.op(map(X.mul(Y).sub(Y), dtype), 1e-6, Type.of(dtype, 1003), Type.of(dtype, 1));
            wide.op(new Reduce(Reduce.Kind.SUM, List.of(0, 2)), 2e-6, Type.of(dtype, 7, 5, 300));
            wide.op(new Reduce(Reduce.Kind.MAX, List.of(1)), 2e-6, Type.of(dtype, 7, 5003));
            wide.op(new Movement.Transpose(List.of(1, 0)), 0, Type.of(dtype, 37, 53));
            wide.op(new Movement.Concat(0), 0, Type.of(dtype, 3, 5), Type.of(dtype, 2, 5));
            wide.op(new Gather(), 0, Type.of(dtype, 200, 5), Type.of(DType.I32, 9));
            wide.op(new Softmax(), 1e-6, Type.of(dtype, 9, 5));
            wide.op(new Pool.AvgPool2d(Window.of(3, 2, 1)), 1e-6, Type.of(dtype, 2, 3, 5, 6));
            wide.op(new BatchNorm(1e-3), 1e-5, Type.of(dtype, 2, 3, 5, 6), Type.of(dtype, 3), Type.of(dtype, 3));
        }
        wide.run();
    }

    @Test
    void movements() {
        for (DType dtype : DType.values()) {
            checker.op(new Movement.Transpose(List.of(1, 0)), 0, Type.of(dtype, 37, 53));
            checker.op(new Movement.Transpose(List.of(0, 2, 1, 3)), 0, Type.of(dtype, 3, 5, 7, 9));
            checker.op(new Movement.Transpose(List.of(3, 1, 2, 0)), 0, Type.of(dtype, 9, 5, 7, 33));
            checker.op(new Movement.Transpose(List.of(0, 2, 3, 1)), 0, Type.of(dtype, 2, 33, 8, 9));
            checker.op(new Movement.Transpose(List.of(0, 3, 1, 2)), 0, Type.of(dtype, 2, 8, 9, 33));
            checker.op(new Movement.Transpose(List.of(2, 4, 1, 3, 0)), 0, Type.of(dtype, 9, 2, 10, 3, 11));
            checker.op(new Movement.Transpose(List.of(1, 0)), 0, Type.of(dtype, 0, 5));
            checker.op(new Movement.Broadcast(Shape.of(4, 3, 5)), 0, Type.of(dtype, 3, 1));
            checker.op(new Movement.Reshape(Shape.of(5, 6)), 0, Type.of(dtype, 2, 15));
            checker.op(new Movement.Slice(List.of(1L, 2L), List.of(3L, 4L)), 0, Type.of(dtype, 5, 8));
            checker.op(new Movement.Slice(List.of(0L, 0L), List.of(0L, 4L)), 0, Type.of(dtype, 5, 8));
            checker.op(new Movement.Pad(List.of(1L, 0L), List.of(2L, 3L)), 0, Type.of(dtype, 5, 8));
            checker.op(new Movement.Pad(List.of(1L, 2L), List.of(2L, 3L)), 0, Type.of(dtype, 0, 8));
            checker.op(new Movement.Pad(List.of(), List.of()), 0, Type.of(dtype));
            Type[] parts = {Type.of(dtype, 2, 3), Type.of(dtype, 2, 1), Type.of(dtype, 2, 0), Type.of(dtype, 2, 40)};
            checker.op(new Movement.Concat(1), 0, parts);
        }
        double[] large = {Integer.MAX_VALUE, Integer.MIN_VALUE, 123456789, -987654321};
        checker.op(new Movement.Transpose(List.of(1, 0)), 0, List.of(row(DType.I32, 2, 2)), null, large);
        checker.run();
    }
}
