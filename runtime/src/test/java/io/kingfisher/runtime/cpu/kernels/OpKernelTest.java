package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.cpu.kernels.KernelEngine.Mode;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.reference.Interpreter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Every kernel of an op against the plain Java reference, with 1 to 4 threads giving the same bits. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpKernelTest {
    private final List<KernelEngine> engines = new ArrayList<>();

    @BeforeAll
    void open() {
        engines.add(new KernelEngine(1, Mode.SCALAR));
        engines.add(new KernelEngine(2, Mode.VECTOR));
        engines.add(new KernelEngine(3, Mode.ADAPTIVE));
        engines.add(new KernelEngine(4, Mode.SCALAR));
    }

    @AfterAll
    void close() {
        engines.forEach(KernelEngine::close);
    }

    private static Buf numbers(Type type, long seed, double low, double high) {
        java.util.Random random = new java.util.Random(seed);
        Buf buf = Buf.of(type.dtype(), (int) type.shape().elements());
        for (int i = 0; i < buf.elements(); i++) {
            buf.set(i, low + (high - low) * random.nextDouble());
        }
        return buf;
    }

    private static Buf numbers(Type type, long seed) {
        return type.dtype().floating() ? numbers(type, seed, -2, 2) : numbers(type, seed, 0, 100);
    }

    /** Runs an op on every engine and compares with the reference; gives the outputs. */
    private List<Buf> check(Op op, List<Type> types, List<Buf> inputs, double tolerance) {
        Graph graph = new Graph();
        List<Value> values = new ArrayList<>();
        double[][] in = new double[inputs.size()][];
        for (int i = 0; i < inputs.size(); i++) {
            values.add(graph.input("x" + i, types.get(i)));
            in[i] = inputs.get(i).all();
        }
        Node node = graph.add(op, values);
        double[][] expected = Interpreter.run(node, in);
        List<Buf> first = null;
        for (KernelEngine engine : engines) {
            Kernel kernel = engine.kernel(op, types);
            List<Long> at = new ArrayList<>(inputs.stream().map(Buf::address).toList());
            List<Buf> outputs = new ArrayList<>();
            for (Value output : node.outputs()) {
                Buf buf = numbers(output.type(), 99);
                outputs.add(buf);
                at.add(buf.address());
            }
            if (kernel.scratchBytes() > 0) {
                at.add(Buf.of(DType.F64, (int) (kernel.scratchBytes() / 8)).address());
            }
            CpuStep step = kernel.bind(at.stream().mapToLong(x -> x).toArray());
            step.run();
            step.run();
            if (first == null) {
                first = outputs;
            }
            for (int r = 0; r < outputs.size(); r++) {
                assertArrayEquals(first.get(r).all(), outputs.get(r).all(), op + " " + types);
                for (int i = 0; i < expected[r].length; i++) {
                    double e = expected[r][i];
                    double got = outputs.get(r).get(i);
                    if (Double.isNaN(e) || Double.isInfinite(e)) {
                        assertEquals(e, got, op + " " + types + " element " + i);
                    } else if (!(Math.abs(e - got) <= tolerance * Math.max(1, Math.abs(e)))) {
                        assertEquals(e, got, op + " " + types + " element " + i);
                    }
                }
            }
        }
        return first;
    }

    private void check(Op op, double tolerance, Type... types) {
        List<Buf> inputs = new ArrayList<>();
        for (int i = 0; i < types.length; i++) {
            inputs.add(numbers(types[i], i));
        }
        check(op, List.of(types), inputs, tolerance);
    }

    @Test
    void movement() {
        for (DType dtype : DType.values()) {
            check(new Movement.Transpose(List.of(1, 0)), 0, Type.of(dtype, 37, 53));
            check(new Movement.Transpose(List.of(0, 2, 1, 3)), 0, Type.of(dtype, 3, 5, 7, 9));
            check(new Movement.Transpose(List.of(3, 1, 2, 0)), 0, Type.of(dtype, 3, 5, 7, 9));
            check(new Movement.Transpose(List.of(2, 0, 1)), 0, Type.of(dtype, 1, 40, 33));
            check(new Movement.Transpose(List.of()), 0, Type.of(dtype));
            check(new Movement.Transpose(List.of(1, 0)), 0, Type.of(dtype, 0, 4));
            check(new Movement.Reshape(Shape.of(6, 35)), 0, Type.of(dtype, 5, 42));
            check(new Movement.Broadcast(Shape.of(4, 7, 5)), 0, Type.of(dtype, 7, 1));
            check(new Movement.Broadcast(Shape.of(3, 70)), 0, Type.of(dtype, 70));
            check(new Movement.Broadcast(Shape.of(9, 9)), 0, Type.of(dtype));
            check(new Movement.Slice(List.of(1L, 2L, 0L), List.of(3L, 4L, 5L)), 0, Type.of(dtype, 6, 7, 5));
            check(new Movement.Slice(List.of(1L, 2L), List.of(0L, 4L)), 0, Type.of(dtype, 6, 7));
            check(new Movement.Pad(List.of(1L, 0L, 2L), List.of(0L, 3L, 1L)), 0, Type.of(dtype, 3, 4, 5));
            check(new Movement.Concat(1), 0, Type.of(dtype, 3, 4, 5), Type.of(dtype, 3, 1, 5), Type.of(dtype, 3, 0, 5));
            check(new Movement.Concat(0), 0, Type.of(dtype, 3, 4), Type.of(dtype, 1, 4));
        }
        check(new Movement.Transpose(List.of(1, 0)), 0, Type.of(DType.F32, 700, 611));
        check(new Movement.Transpose(List.of(0, 2, 1, 3)), 0, Type.of(DType.F32, 8, 64, 8, 32));
        check(new Movement.Broadcast(Shape.of(300, 1000)), 0, Type.of(DType.F32, 300, 1));
    }

    @Test
    void gatherAndScatter() {
        for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.F16)) {
            Type table = Type.of(dtype, 11, 3, 7),
                    indices = Type.of(DType.I32, 5, 4),
                    rows = Type.of(dtype, 5, 4, 3, 7);
            Buf index = numbers(indices, 3, -1.5, 12.5);
            check(new Gather(), List.of(table, indices), List.of(numbers(table, 1), index), 0);
            double tolerance = dtype.half() ? 0.05 : dtype == DType.F32 ? 1e-6 : 1e-14;
            check(new ScatterAdd(11), List.of(indices, rows), List.of(index, numbers(rows, 2)), tolerance);
        }
        Type indices = Type.of(DType.I32, 3000), rows = Type.of(DType.F32, 3000, 65);
        check(
                new ScatterAdd(100),
                List.of(indices, rows),
                List.of(numbers(indices, 4, 0, 100), numbers(rows, 5)),
                1e-5);
        Type scalars = Type.of(DType.F32, 9);
        check(new Gather(), List.of(scalars, indices), List.of(numbers(scalars, 1), numbers(indices, 4, 0, 9)), 0);
    }

    @Test
    void pools() {
        List<Pool.Window> windows = List.of(
                Pool.Window.of(2, 2, 0),
                Pool.Window.of(3, 2, 1),
                new Pool.Window(1, 3, 2, 1, 0, 1),
                Pool.Window.of(5, 5, 2));
        for (DType dtype : List.of(DType.F32, DType.F64)) {
            double tolerance = dtype == DType.F32 ? 1e-6 : 1e-14;
            for (Pool.Window window : windows) {
                for (Shape image : List.of(Shape.of(2, 3, 9, 11), Shape.of(1, 1, 5, 5), Shape.of(4, 6, 14, 14))) {
                    Type x = new Type(dtype, image), y = new Type(dtype, window.output(image));
                    Buf values = numbers(x, 1);
                    values.set(3, Double.NaN);
                    values.set(4, 5);
                    values.set(5, 5);
                    List<Buf> out = check(new Pool.MaxPool2d(window), List.of(x), List.of(values), 0);
                    Type cells = new Type(DType.U8, y.shape());
                    Buf dy = numbers(y, 2);
                    check(new Pool.MaxPool2dGrad(window, image), List.of(y, cells), List.of(dy, out.get(1)), tolerance);
                    check(new Pool.MaxPool2dGather(window), List.of(x, cells), List.of(values, out.get(1)), 0);
                    check(new Pool.AvgPool2d(window), List.of(x), List.of(numbers(x, 7)), tolerance);
                    check(new Pool.AvgPool2dGrad(window, image), List.of(y), List.of(dy), tolerance);
                }
            }
        }
    }

    @Test
    void random() {
        Buf state = Buf.of(DType.I32, 123456789, -987654321, 77, 3);
        for (Random.Distribution distribution : Random.Distribution.values()) {
            for (Shape shape : List.of(Shape.of(), Shape.of(3), Shape.of(7, 9), Shape.of(40_001), Shape.of(0))) {
                check(new Random(distribution, 5, shape), List.of(Type.of(DType.I32, 4)), List.of(state), 1e-6);
            }
        }
    }

    @Test
    void crossEntropy() {
        for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.F16)) {
            double tolerance = dtype == DType.F32 ? 2e-6 : dtype == DType.F64 ? 1e-13 : 2e-2;
            for (int classes : dtype == DType.F32 ? new int[] {1, 10, 65, 1000} : new int[] {3, 65}) {
                for (double smoothing : new double[] {0, 0.1}) {
                    int n = 67;
                    Type logits = Type.of(dtype, n, classes), labels = Type.of(DType.I32, n), row = Type.of(dtype, n);
                    Buf x = numbers(logits, 1, -30, 30), label = numbers(labels, 2, 0, classes);
                    label.set(3, -100);
                    label.set(4, classes);
                    label.set(5, -1);
                    SoftmaxCrossEntropy op = new SoftmaxCrossEntropy(smoothing, -100);
                    List<Buf> out = check(op, List.of(logits, labels), List.of(x, label), tolerance);
                    check(
                            new SoftmaxCrossEntropyGrad(op),
                            List.of(logits, labels, row, row),
                            List.of(x, label, out.get(1), numbers(row, 3)),
                            tolerance);
                }
            }
        }
    }

    @Test
    void nothingIsAllocated() {
        List<Op> ops = List.of(
                new Movement.Transpose(List.of(1, 0)),
                new Movement.Pad(List.of(1L, 2L), List.of(3L, 0L)),
                new Movement.Concat(0),
                new Gather(),
                new ScatterAdd(50),
                new Random(Random.Distribution.NORMAL, 1, Shape.of(1000)),
                new SoftmaxCrossEntropy(0.1, -1),
                new Pool.MaxPool2d(Pool.Window.of(2, 2, 0)));
        Type matrix = Type.of(DType.F32, 300, 200), index = Type.of(DType.I32, 300);
        List<List<Type>> types = List.of(
                List.of(matrix),
                List.of(matrix),
                List.of(matrix, matrix),
                List.of(matrix, index),
                List.of(index, matrix),
                List.of(Type.of(DType.I32, 4)),
                List.of(matrix, index),
                List.of(Type.of(DType.F32, 3, 5, 40, 40)));
        KernelEngine engine = engines.get(2);
        for (int k = 0; k < ops.size(); k++) {
            Kernel kernel = engine.kernel(ops.get(k), types.get(k));
            List<Long> at = new ArrayList<>();
            for (int i = 0; i < types.get(k).size(); i++) {
                at.add(numbers(types.get(k).get(i), i).address());
            }
            for (Type type : ops.get(k).infer(types.get(k))) {
                at.add(numbers(type, 9).address());
            }
            at.add(Buf.of(DType.F64, (int) (kernel.scratchBytes() / 8)).address());
            CpuStep step = kernel.bind(at.stream().mapToLong(x -> x).toArray());
            for (int i = 0; i < 60; i++) {
                step.run();
            }
            engine.settle();
            step.run();
            assertEquals(
                    0,
                    Allocations.of(() -> {
                        for (int i = 0; i < 10; i++) {
                            step.run();
                        }
                    }),
                    ops.get(k).toString());
        }
    }
}
