package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.cpu.kernels.KernelEngine.Mode;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Reduce.Kind;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReduceKernelTest {
    private static final Expr A = Expr.arg(0), B = Expr.arg(1);
    private final List<KernelEngine> engines = new ArrayList<>();

    @BeforeAll
    void open() {
        engines.add(new KernelEngine(1, Mode.SCALAR));
        engines.add(new KernelEngine(1, Mode.VECTOR));
        engines.add(new KernelEngine(2, Mode.ADAPTIVE));
        engines.add(new KernelEngine(4, Mode.VECTOR));
    }

    @AfterAll
    void close() {
        engines.forEach(KernelEngine::close);
    }

    private static Buf random(DType dtype, long n, long seed) {
        Random random = new Random(seed);
        Buf buf = Buf.of(dtype, (int) n);
        for (int i = 0; i < n; i++) {
            buf.set(i, random.nextGaussian() + 0.25);
        }
        return buf;
    }

    private static double[] bind(
            KernelEngine engine,
            List<Expr> exprs,
            List<Kind> kinds,
            DType dtype,
            Shape shape,
            List<Integer> axes,
            List<View> views,
            List<Buf> inputs) {
        int outputs = 1;
        for (int axis = 0; axis < shape.rank(); axis++) {
            outputs *= axes.contains(axis) ? 1 : shape.size(axis);
        }
        ReduceKernel kernel =
                engine.reduce(exprs, kinds, exprs.stream().map(_ -> dtype).toList(), shape, axes, views);
        List<Long> at = new ArrayList<>(inputs.stream().map(Buf::address).toList());
        List<Buf> results = new ArrayList<>();
        for (int r = 0; r < exprs.size(); r++) {
            results.add(Buf.of(dtype, outputs));
            at.add(results.get(r).address());
        }
        if (kernel.scratchBytes() > 0) {
            at.add(Buf.of(DType.F64, (int) (kernel.scratchBytes() / 8)).address());
        }
        CpuStep step = kernel.bind(at.stream().mapToLong(x -> x).toArray());
        step.run();
        step.run();
        double[] all = new double[outputs * exprs.size()];
        for (int r = 0; r < exprs.size(); r++) {
            System.arraycopy(results.get(r).all(), 0, all, r * outputs, outputs);
        }
        return all;
    }

    /** Reduces x and x * y, y of a shape that broadcasts, by every engine and by a plain loop in double precision. */
    private void check(Shape shape, Shape other, DType dtype, List<Integer> axes) {
        Buf x = random(dtype, shape.elements(), 1), y = random(dtype, other.elements(), 2);
        View viewX = View.of(new Type(dtype, shape)), viewY = View.of(new Type(dtype, other));
        List<Expr> exprs = List.of(A, A.mul(B), A.mul(B), A.abs());
        List<Kind> kinds = List.of(Kind.SUM, Kind.SUM, Kind.MAX, Kind.MIN);
        double[] first = null;
        for (KernelEngine engine : engines) {
            double[] result = bind(engine, exprs, kinds, dtype, shape, axes, List.of(viewX, viewY), List.of(x, y));
            if (first == null) {
                first = result;
            }
            assertArrayEquals(first, result, shape + " " + axes);
        }
        int outputs = first.length / 4;
        double[] expected = new double[4 * outputs], size = new double[4 * outputs];
        java.util.Arrays.fill(expected, 2 * outputs, 3 * outputs, Double.NEGATIVE_INFINITY);
        java.util.Arrays.fill(expected, 3 * outputs, 4 * outputs, Double.POSITIVE_INFINITY);
        View wide = viewY.broadcast(shape);
        for (int i = 0; i < shape.elements(); i++) {
            int place = i, output = 0, stride = 1;
            long at = 0;
            for (int axis = shape.rank() - 1; axis >= 0; axis--) {
                int index = place % shape.size(axis);
                place /= shape.size(axis);
                at += index * wide.strides().get(axis);
                if (!axes.contains(axis)) {
                    output += index * stride;
                    stride *= shape.size(axis);
                }
            }
            double a = x.get(i), b = y.get((int) at);
            double product = dtype == DType.F64 ? a * b : (float) a * (float) b;
            expected[output] += a;
            size[output] += Math.abs(a);
            expected[outputs + output] += product;
            size[outputs + output] += Math.abs(product);
            expected[2 * outputs + output] = Math.max(expected[2 * outputs + output], product);
            expected[3 * outputs + output] = Math.min(expected[3 * outputs + output], Math.abs(a));
        }
        double epsilon = dtype == DType.F64 ? 1e-14 : dtype == DType.BF16 ? 5e-3 : 3e-7;
        for (int o = 0; o < 4 * outputs; o++) {
            double tolerance = epsilon * Math.max(size[o], dtype == DType.BF16 ? Math.abs(expected[o]) : 0);
            assertEquals(expected[o], first[o], tolerance, shape + " " + axes + " output " + o);
        }
    }

    @Test
    void allShapesAndAxes() {
        check(Shape.of(7, 5, 3, 11), Shape.of(5, 1, 1), DType.F32, List.of(0, 2, 3));
        check(Shape.of(16, 6, 28, 28), Shape.of(6, 1, 1), DType.F32, List.of(0, 2, 3));
        check(Shape.of(300, 130), Shape.of(130), DType.F32, List.of(0));
        check(Shape.of(300, 130), Shape.of(300, 1), DType.F32, List.of(1));
        check(Shape.of(1000, 10), Shape.of(10), DType.F32, List.of(0));
        check(Shape.of(1000, 10), Shape.of(1000, 10), DType.F32, List.of(1));
        check(Shape.of(3, 1000, 9), Shape.of(9), DType.F32, List.of(2));
        check(Shape.of(600, 2500), Shape.of(2500), DType.F32, List.of(0));
        check(Shape.of(200_003), Shape.of(), DType.F32, List.of(0));
        check(Shape.of(4, 50_001), Shape.of(4, 50_001), DType.F32, List.of(1));
        check(Shape.of(5, 6, 7), Shape.of(6, 1), DType.F32, List.of(1));
        check(Shape.of(5, 6, 7), Shape.of(6, 1), DType.F32, List.of(0, 1, 2));
        check(Shape.of(5, 6, 7), Shape.of(6, 1), DType.F32, List.of());
        check(Shape.of(), Shape.of(), DType.F32, List.of());
        check(Shape.of(1, 1), Shape.of(1), DType.F32, List.of(0, 1));
        check(Shape.of(5, 1, 33), Shape.of(33), DType.F32, List.of(1));
        check(Shape.of(8, 28, 28, 6), Shape.of(), DType.F32, List.of(0, 1, 2));
        check(Shape.of(8, 28, 28, 6), Shape.of(6), DType.F32, List.of(0, 1, 2));
        check(Shape.of(70_001, 3), Shape.of(70_001, 3), DType.F32, List.of(0));
        check(Shape.of(5, 4, 101, 8), Shape.of(5, 4, 101, 8), DType.F32, List.of(0, 2));
        check(Shape.of(3, 401, 7), Shape.of(3, 401, 7), DType.F32, List.of(1));
        check(Shape.of(401, 16), Shape.of(401, 16), DType.F64, List.of(0));
        check(Shape.of(40, 30, 20), Shape.of(20), DType.F32, List.of(0, 2));
        check(Shape.of(0, 4), Shape.of(4), DType.F32, List.of(0));
        check(Shape.of(4, 0), Shape.of(1), DType.F32, List.of(0));
        check(Shape.of(33, 45), Shape.of(45), DType.F64, List.of(0));
        check(Shape.of(33, 45), Shape.of(45), DType.F64, List.of(1));
        check(Shape.of(33, 45), Shape.of(45), DType.BF16, List.of(1));
        check(Shape.of(33, 45), Shape.of(45), DType.BF16, List.of(0));
    }

    @Test
    void extremesOfNaNAreNaN() {
        for (KernelEngine engine : engines) {
            for (List<Integer> axes : List.of(List.of(0), List.of(1))) {
                Shape shape = Shape.of(70, 70);
                Buf x = Buf.of(DType.F32, 4900);
                x.set(35 * 70 + 35, Double.NaN);
                View view = View.of(new Type(DType.F32, shape));
                for (Kind kind : Kind.values()) {
                    double[] y =
                            bind(engine, List.of(A), List.of(kind), DType.F32, shape, axes, List.of(view), List.of(x));
                    for (int i = 0; i < 70; i++) {
                        assertEquals(i == 35 ? Double.NaN : 0, y[i]);
                    }
                }
            }
        }
    }

    @Test
    void sumsOfMillionsStayAccurate() {
        int n = 3_000_000;
        Buf x = Buf.of(DType.F32, n);
        double exact = 0;
        Random random = new Random(5);
        for (int i = 0; i < n; i++) {
            x.set(i, random.nextFloat());
            exact += x.get(i);
        }
        KernelEngine engine = engines.get(2);
        double[] flat = bind(
                engine,
                List.of(A),
                List.of(Kind.SUM),
                DType.F32,
                Shape.of(n),
                List.of(0),
                List.of(View.of(Type.of(DType.F32, n))),
                List.of(x));
        assertTrue(Math.abs(flat[0] - exact) < 2e-7 * exact, flat[0] + " " + exact);
        double[] columns = bind(
                engine,
                List.of(A),
                List.of(Kind.SUM),
                DType.F32,
                Shape.of(n / 3, 3),
                List.of(0),
                List.of(View.of(Type.of(DType.F32, n / 3, 3))),
                List.of(x));
        assertTrue(Math.abs(columns[0] + columns[1] + columns[2] - exact) < 4e-7 * exact);
    }

    @Test
    void aWarmReductionAllocatesNothing() {
        Shape shape = Shape.of(64, 32, 100);
        Buf x = random(DType.F32, shape.elements(), 1);
        View view = View.of(new Type(DType.F32, shape));
        for (List<Integer> axes : List.of(List.of(0, 2), List.of(0, 1), List.of(2), List.of(0, 1, 2))) {
            KernelEngine engine = engines.get(2);
            ReduceKernel kernel = engine.reduce(
                    List.of(A.square(), A),
                    List.of(Kind.SUM, Kind.MAX),
                    List.of(DType.F32, DType.F32),
                    shape,
                    axes,
                    List.of(view));
            long scratch = Buf.of(DType.F64, (int) (kernel.scratchBytes() / 8)).address();
            CpuStep step = kernel.bind(
                    x.address(),
                    Buf.of(DType.F32, 5000).address(),
                    Buf.of(DType.F32, 5000).address(),
                    scratch);
            for (int i = 0; i < 100; i++) {
                step.run();
            }
            engine.settle();
            assertEquals(0, Allocations.of(() -> {
                for (int i = 0; i < 20; i++) {
                    step.run();
                }
            }));
        }
    }
}
