package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.cpu.kernels.KernelEngine.Mode;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MapKernelTest {
    private static final Expr A = Expr.arg(0), B = Expr.arg(1), C = Expr.arg(2);
    private final List<KernelEngine> engines = new ArrayList<>();

    @BeforeAll
    void open() {
        engines.add(new KernelEngine(1, Mode.SCALAR));
        engines.add(new KernelEngine(1, Mode.VECTOR));
        engines.add(new KernelEngine(2, Mode.VECTOR));
        engines.add(new KernelEngine(3, Mode.SCALAR));
        engines.add(new KernelEngine(4, Mode.ADAPTIVE));
    }

    @AfterAll
    void close() {
        engines.forEach(KernelEngine::close);
    }

    record In(Buf memory, long... extents) {
        Type type() {
            return Type.of(memory.dtype(), extents);
        }
    }

    /** Runs a map on every engine, checks that all give the same bits, and gives the outputs. */
    private List<Buf> run(List<Expr> exprs, List<DType> dtypes, Shape shape, In... inputs) {
        List<Buf> first = null;
        for (KernelEngine engine : engines) {
            List<View> views = new ArrayList<>();
            List<Buf> outputs = new ArrayList<>();
            for (In in : inputs) {
                views.add(View.of(in.type()));
            }
            long[] at = new long[inputs.length + exprs.size()];
            for (int k = 0; k < inputs.length; k++) {
                at[k] = inputs[k].memory().address();
            }
            for (int r = 0; r < exprs.size(); r++) {
                outputs.add(Buf.of(dtypes.get(r), (int) shape.elements()));
                at[inputs.length + r] = outputs.get(r).address();
            }
            CpuStep step = engine.map(exprs, dtypes, shape, views).bind(at);
            step.run();
            if (first == null) {
                first = outputs;
            }
            for (int r = 0; r < exprs.size(); r++) {
                assertArrayEquals(first.get(r).all(), outputs.get(r).all(), "result " + r);
            }
        }
        return first;
    }

    private static Buf random(DType dtype, int n, long seed, double low, double high) {
        Random random = new Random(seed);
        Buf buf = Buf.of(dtype, n);
        for (int i = 0; i < n; i++) {
            buf.set(i, low + (high - low) * random.nextDouble());
        }
        return buf;
    }

    /** Floats that cover the whole range densely, and the special ones. */
    private static Buf sweep() {
        int count = 200_000;
        double[] values = new double[count + 200_000];
        for (int i = 0; i < count; i++) {
            values[i] = Float.intBitsToFloat((int) ((long) i * (1L << 32) / count));
        }
        for (int i = 0; i < 200_000; i++) {
            values[count + i] = (i - 100_000) * 0.0011;
        }
        float[] special = {
            0f,
            -0f,
            1f,
            -1f,
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.MIN_VALUE,
            -Float.MIN_VALUE,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            Float.MIN_NORMAL,
            88.72283f,
            88.72284f,
            89f,
            103.97f,
            -87.33655f,
            -103.97208f,
            -103.98f,
            -104f,
            0.625f,
            1.5f,
            -1.5f,
            8388607.5f,
            -8388607.5f,
            8388608f,
            0.99999994f
        };
        for (int i = 0; i < special.length; i++) {
            values[i] = special[i];
        }
        return Buf.of(DType.F32, values);
    }

    @ParameterizedTest
    @EnumSource(UnaryOp.class)
    void functionsAreWithinTwoUnitsInTheLastPlace(UnaryOp op) {
        Buf x = sweep();
        int n = x.elements();
        Buf y = run(List.of(Expr.unary(op, A)), List.of(DType.F32), Shape.of(n), new In(x, n))
                .get(0);
        double worst = 0;
        int at = 0;
        for (int i = 0; i < n; i++) {
            double expected = Expr.apply(op, x.get(i));
            float rounded = (float) expected, got = (float) y.get(i);
            if (Float.isNaN(rounded) || Float.isInfinite(rounded) || rounded == 0) {
                if (rounded == 0 && Math.abs(got) <= 2 * Float.MIN_VALUE) {
                    if (got == 0 && op != UnaryOp.LOG) {
                        assertEquals(1 / rounded, 1 / got, op.name());
                    }
                    continue;
                }
                boolean nearOverflow = Float.isInfinite(rounded) && Math.abs(got) >= 0.999999f * Float.MAX_VALUE;
                if (!nearOverflow) {
                    assertEquals(rounded, got, op.name());
                }
                continue;
            }
            double error = Math.abs(got - expected) / Math.ulp(rounded);
            if (!(error <= worst)) {
                worst = error;
                at = i;
            }
        }
        assertTrue(worst <= 2, op + " of " + x.get(at) + " is wrong by " + worst + " units in the last place");
    }

    @Test
    void operatorsMeanWhatExpressionsMean() {
        Buf a = random(DType.F32, 1003, 1, -3, 3), b = random(DType.F32, 1003, 2, -3, 3);
        double[] odd = {0, -0.0, Double.NaN, 1, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1};
        for (int i = 0; i < 49; i++) {
            a.set(i, odd[i % 7]);
            b.set(i, odd[i / 7]);
        }
        List<Expr> exprs = List.of(
                A.add(B),
                A.sub(B),
                A.mul(B),
                A.div(B),
                A.max(B),
                A.min(B),
                A.lessThan(B),
                A.lessOrEqual(B),
                A.equalTo(B),
                Expr.select(A.lessThan(B), A, B),
                Expr.select(A, B, B.neg()),
                A.pow(0.5),
                A.pow(-0.5),
                A.pow(3),
                A.pow(-1),
                A.pow(-2),
                A.pow(0),
                A.pow(1.75),
                A.pow(B));
        List<DType> types = exprs.stream().map(_ -> DType.F32).toList();
        List<Buf> results = run(exprs, types, Shape.of(1003), new In(a, 1003), new In(b, 1003));
        for (int i = 0; i < 1003; i++) {
            double[] expected = Exprs.evaluate(exprs, a.get(i), b.get(i));
            for (int r = 0; r < exprs.size(); r++) {
                double got = results.get(r).get(i);
                float e = (float) expected[r];
                boolean close = Math.abs(got - e) <= 2 * Math.ulp(e) || Double.compare(e, got) == 0;
                assertTrue(close, exprs.get(r) + " of " + a.get(i) + " and " + b.get(i) + " is " + got + ", not " + e);
            }
        }
    }

    @Test
    void typesAreConverted() {
        int n = 517;
        for (DType from : DType.values()) {
            for (DType to : DType.values()) {
                Buf x = random(from, n, 3, from == DType.U8 ? 0 : -300, from == DType.U8 ? 255.9 : 300);
                if (from == DType.F32) {
                    x.set(0, Double.NaN);
                    x.set(1, 1e20);
                    x.set(2, -1e20);
                }
                Buf y = run(List.of(A), List.of(to), Shape.of(n), new In(x, n)).get(0);
                for (int i = 0; i < n; i++) {
                    Buf one = Buf.of(to, from == DType.F64 ? x.get(i) : (float) x.get(i));
                    assertEquals(one.get(0), y.get(i), from + " to " + to + " of " + x.get(i));
                }
            }
        }
    }

    @Test
    void operandsBroadcast() {
        long[][][] cases = {
            {{7, 5, 9}, {7, 5, 9}, {5, 1}, {9}},
            {{64, 33}, {64, 33}, {33}, {64, 1}},
            {{3, 4, 5, 6}, {3, 1, 5, 1}, {4, 1, 6}, {}},
            {{130, 70}, {1, 70}, {130, 1}, {1}},
            {{2, 1, 40}, {2, 1, 40}, {1, 40}, {40}},
            {{1}, {1}, {}, {1}},
            {{}, {}, {}, {}},
            {{0, 3}, {0, 3}, {3}, {1}},
            {{300, 1, 257}, {300, 1, 1}, {257}, {300, 1, 257}},
        };
        Expr e = A.mul(B).add(C.square()).sub(B);
        for (long[][] c : cases) {
            Shape shape = Shape.of(c[0]);
            In[] inputs = new In[3];
            for (int k = 0; k < 3; k++) {
                inputs[k] = new In(random(DType.F32, (int) Shape.of(c[k + 1]).elements(), k, -2, 2), c[k + 1]);
            }
            Buf y = run(List.of(e), List.of(DType.F32), shape, inputs).get(0);
            for (int i = 0; i < shape.elements(); i++) {
                float a = (float) at(inputs[0], shape, i), b = (float) at(inputs[1], shape, i);
                float d = (float) at(inputs[2], shape, i);
                assertEquals(a * b + d * d - b, (float) y.get(i), shape + " element " + i);
            }
        }
    }

    private static double at(In in, Shape shape, int flat) {
        View view = View.of(in.type()).broadcast(shape);
        long place = 0;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            place += flat % shape.dim(axis) * view.strides().get(axis);
            flat /= (int) shape.dim(axis);
        }
        return in.memory().get((int) place);
    }

    @Test
    void severalResultsInPlaceMatchSeparateOnes() {
        // AdamW, with the bias corrections computed once a row from a step counter.
        Expr p = Expr.arg(0), m = Expr.arg(1), v = Expr.arg(2), g = Expr.arg(3), t = Expr.arg(4);
        Expr m1 = m.mul(0.9).add(g.mul(0.1)), v1 = v.mul(0.999).add(g.square().mul(0.001));
        Expr mHat = m1.div(Expr.of(1).sub(Expr.of(0.9).pow(t)));
        Expr vHat = v1.div(Expr.of(1).sub(Expr.of(0.999).pow(t)));
        Expr p1 = p.mul(1 - 1e-3 * 0.01).sub(mHat.div(vHat.sqrt().add(1e-8)).mul(1e-3));
        List<Expr> exprs = List.of(p1, m1, v1);
        List<DType> types = List.of(DType.F32, DType.F32, DType.F32);
        int n = 100_003;
        List<Buf> state =
                List.of(random(DType.F32, n, 1, -1, 1), random(DType.F32, n, 2, -1, 1), random(DType.F32, n, 3, 0, 1));
        Buf gradient = random(DType.F32, n, 4, -1, 1), step = Buf.of(DType.F32, 3);
        List<Buf> expected = run(
                exprs,
                types,
                Shape.of(n),
                new In(state.get(0), n),
                new In(state.get(1), n),
                new In(state.get(2), n),
                new In(gradient, n),
                new In(step));
        View full = View.of(Type.of(DType.F32, n)), scalar = View.of(Type.of(DType.F32));
        for (KernelEngine engine : engines) {
            List<Buf> own = state.stream().map(Buf::copy).toList();
            long[] at = {
                own.get(0).address(),
                own.get(1).address(),
                own.get(2).address(),
                gradient.address(),
                step.address(),
                own.get(0).address(),
                own.get(1).address(),
                own.get(2).address()
            };
            engine.map(exprs, types, Shape.of(n), List.of(full, full, full, full, scalar))
                    .bind(at)
                    .run();
            for (int r = 0; r < 3; r++) {
                for (int i = 0; i < n; i++) {
                    assertEquals(expected.get(r).get(i), own.get(r).get(i));
                }
            }
        }
    }

    @Test
    void expressionsOfAnySizeRun() {
        int inputs = 150, n = 1001;
        Expr sum = Expr.of(0), deep = A;
        for (int i = 0; i < inputs; i++) {
            sum = sum.add(Expr.arg(i).mul(i));
            deep = deep.add(Expr.arg(i).tanh().mul(deep).mul(0.01));
        }
        List<Expr> exprs = List.of(sum, deep, deep.sub(sum));
        List<View> views = new ArrayList<>();
        double[][] values = new double[inputs][];
        long[] at = new long[inputs + 4];
        for (int i = 0; i < inputs; i++) {
            Buf x = random(DType.F32, i % 3 == 0 ? 1 : n, i, -1, 1);
            values[i] = x.all();
            at[i] = x.address();
            views.add(View.of(Type.of(DType.F32, x.elements())));
        }
        List<DType> types = List.of(DType.F32, DType.F32, DType.F32);
        double[][] first = null;
        for (KernelEngine engine : engines) {
            Kernel kernel = engine.map(exprs, types, Shape.of(n), views);
            assertTrue(kernel.scratchBytes() > 0);
            List<Buf> outputs = List.of(Buf.of(DType.F32, n), Buf.of(DType.F32, n), Buf.of(DType.F32, n));
            for (int r = 0; r < 3; r++) {
                at[inputs + r] = outputs.get(r).address();
            }
            at[inputs + 3] =
                    Buf.of(DType.F64, (int) (kernel.scratchBytes() / 8)).address();
            CpuStep step = kernel.bind(at);
            engine.together(List.of(step, step)).run();
            if (first == null) {
                first = outputs.stream().map(Buf::all).toArray(double[][]::new);
            }
            for (int r = 0; r < 3; r++) {
                assertArrayEquals(first[r], outputs.get(r).all());
            }
        }
        for (int i = 0; i < n; i += 100) {
            double[] arguments = new double[inputs];
            for (int k = 0; k < inputs; k++) {
                arguments[k] = values[k][values[k].length == 1 ? 0 : i];
            }
            double[] expected = Exprs.evaluate(exprs, arguments);
            for (int r = 0; r < 3; r++) {
                assertEquals(expected[r], first[r][i], 1e-2);
            }
        }
    }

    @Test
    void aGroupIsTheSameAsItsSteps() {
        int[] sizes = {7, 100_000, 0, 33, 70_001, 1};
        Expr e = A.mul(B).add(A.exp());
        for (KernelEngine engine : engines) {
            List<CpuStep> steps = new ArrayList<>();
            List<Buf> inputs = new ArrayList<>(), outputs = new ArrayList<>();
            Buf scale = Buf.of(DType.F32, 0.5);
            for (int n : sizes) {
                inputs.add(random(DType.F32, n, n, -1, 1));
                outputs.add(Buf.of(DType.F32, n));
                steps.add(engine.map(
                                List.of(e),
                                List.of(DType.F32),
                                Shape.of(n),
                                List.of(View.of(Type.of(DType.F32, n)), View.of(Type.of(DType.F32))))
                        .bind(
                                inputs.getLast().address(),
                                scale.address(),
                                outputs.getLast().address()));
            }
            engine.together(steps).run();
            for (int m = 0; m < sizes.length; m++) {
                Buf alone = run(
                                List.of(e),
                                List.of(DType.F32),
                                Shape.of(sizes[m]),
                                new In(inputs.get(m), sizes[m]),
                                new In(scale))
                        .get(0);
                for (int i = 0; i < sizes[m]; i++) {
                    assertEquals(alone.get(i), outputs.get(m).get(i));
                }
            }
        }
    }

    @Test
    void aWarmLoopAllocatesNothing() {
        Expr gelu = A.mul(0.5).mul(A.mul(Math.sqrt(0.5)).erf().add(1)).mul(B).add(B.tanh());
        int n = 50_000;
        Buf a = random(DType.F32, n, 1, -3, 3), b = random(DType.F32, n, 2, -3, 3), y = Buf.of(DType.F32, n);
        View view = View.of(Type.of(DType.F32, n));
        for (Mode mode : Mode.values()) {
            try (KernelEngine engine = new KernelEngine(2, mode)) {
                CpuStep step = engine.map(List.of(gelu), List.of(DType.F32), Shape.of(n), List.of(view, view))
                        .bind(a.address(), b.address(), y.address());
                for (int i = 0; i < 300; i++) {
                    step.run();
                }
                engine.settle();
                long bytes = Allocations.of(() -> {
                    for (int i = 0; i < 20; i++) {
                        step.run();
                    }
                });
                assertEquals(0, bytes, mode.toString());
            }
        }
    }

    @Test
    void aLoopWhoseVectorsStaySlowKeepsToSingleElementsAndIsReported() {
        int n = 50_000;
        Buf a = random(DType.F32, n, 1, -3, 3), y = Buf.of(DType.F32, n);
        View view = View.of(Type.of(DType.F32, n));
        try (KernelEngine engine = new KernelEngine(1, Mode.ADAPTIVE, 0)) {
            CpuStep step = engine.map(List.of(A.tanh()), List.of(DType.F32), Shape.of(n), List.of(view))
                    .bind(a.address(), y.address());
            assertFalse(engine.report().contains("hot loops"), engine.report());
            for (int i = 0; i < 300; i++) {
                step.run();
            }
            engine.settle();
            assertTrue(engine.report().contains("1 hot loops stay on single elements"), engine.report());
            assertEquals(Math.tanh(a.get(7)), y.get(7), 1e-6);
        }
    }
}
