package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Programs of the CPU device: assignments, memory, closing, threads. */
class CpuProgramTest {
    private Device device;

    @BeforeEach
    void open() {
        device = Device.open("cpu", new DeviceOptions(2));
    }

    @AfterEach
    void close() {
        device.close();
        assertEquals(0, device.live());
    }

    private Tensor tensor(float... values) {
        Tensor tensor = device.allocate(DType.F32, Shape.of(values.length));
        tensor.write(values);
        return tensor;
    }

    @Test
    void assignmentsReadWhatWasThereBefore() {
        Tensor a = tensor(1, 2), b = tensor(3, 4), c = tensor(0, 0);
        Graph g = new Graph();
        Value x = g.read(a), y = g.read(b);
        g.assign(a, y);
        g.assign(b, x);
        g.assign(c, x.add(y));
        g.output("before", x);
        try (Program program = device.compile(g)) {
            program.replay();
            assertArrayEquals(new float[] {3, 4}, a.floats());
            assertArrayEquals(new float[] {1, 2}, b.floats());
            assertArrayEquals(new float[] {4, 6}, c.floats());
            assertArrayEquals(new float[] {1, 2}, program.output("before").floats());
            program.replay();
            assertArrayEquals(new float[] {1, 2}, a.floats());
            assertArrayEquals(new float[] {3, 4}, program.output("before").floats());
        }
    }

    @Test
    void aTensorThatIsReadLaterIsNotOverwrittenEarly() {
        Tensor a = tensor(1, 2, 3), b = tensor(0, 0, 0);
        Graph g = new Graph();
        Value old = g.read(a);
        Value next = old.mul(2);
        g.assign(a, next);
        g.assign(b, next.exp().mul(0).add(old));
        try (Program program = device.compile(g)) {
            program.replay();
            assertArrayEquals(new float[] {2, 4, 6}, a.floats());
            assertArrayEquals(new float[] {1, 2, 3}, b.floats());
        }
    }

    @Test
    void aTensorThatIsReadElsewhereThanWrittenIsNotOverwritten() {
        Tensor a = device.allocate(DType.F32, Shape.of(3, 3));
        a.write(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f);
        Graph g = new Graph();
        Value x = g.read(a);
        g.assign(a, x.add(x.t()));
        try (Program program = device.compile(g)) {
            program.replay();
            assertArrayEquals(new float[] {0, 4, 8, 4, 8, 12, 8, 12, 16}, a.floats());
        }
        Tensor one = tensor(2);
        Tensor wide = tensor(1, 1, 1);
        Graph h = new Graph();
        h.assign(wide, h.read(one).add(h.read(wide)));
        h.assign(one, h.read(one).mul(h.read(one)));
        try (Program program = device.compile(h)) {
            program.replay();
            assertArrayEquals(new float[] {3, 3, 3}, wide.floats());
            assertArrayEquals(new float[] {4}, one.floats());
        }
    }

    @Test
    void oneValueGoesToSeveralTensorsAndOutputs() {
        Tensor a = tensor(1, 2), b = tensor(5, 5);
        Graph g = new Graph();
        Value sum = g.read(a).add(1);
        g.assign(a, sum);
        g.assign(b, sum);
        g.output("sum", sum);
        g.output("again", sum.reshape(2, 1));
        try (Program program = device.compile(g)) {
            program.replay();
            program.replay();
            for (Tensor t : List.of(a, b, program.output("sum"), program.output("again"))) {
                assertArrayEquals(new float[] {3, 4}, t.floats());
            }
            assertEquals(Shape.of(2, 1), program.output("again").shape());
        }
    }

    @Test
    void inputsAndConstantsComeOut() {
        Graph g = new Graph();
        Value x = g.input("x", DType.I32, 3);
        g.output("x", x);
        g.output("ones", g.ones(DType.F32, Shape.of(2)));
        g.output("table", g.constant(DType.U8, Shape.of(2), 7, 255));
        try (Program program = device.compile(g)) {
            program.input("x").write(4, -5, 6);
            program.replay();
            assertArrayEquals(new float[] {4, -5, 6}, program.output("x").floats());
            assertArrayEquals(new float[] {1, 1}, program.output("ones").floats());
            assertArrayEquals(new float[] {7, 255}, program.output("table").floats());
        }
    }

    @Test
    void twoProgramsShareTensors() {
        Tensor a = tensor(1, 2);
        Graph add = new Graph(), twice = new Graph();
        add.assign(a, add.read(a).add(1));
        twice.assign(a, twice.read(a).mul(2));
        twice.output("now", twice.read(a));
        try (Program first = device.compile(add);
                Program second = device.compile(twice)) {
            first.replay();
            second.replay();
            first.replay();
            second.replay();
            assertArrayEquals(new float[] {10, 14}, a.floats());
            assertArrayEquals(new float[] {10, 14}, second.output("now").floats());
        }
    }

    @Test
    void emptyValuesAreNoTrouble() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 0, 4), w = g.input("w", DType.F32, 4, 3);
        g.output("product", x.matmul(w));
        g.output("none", x.t().matmul(x));
        g.output("sum", x.sum());
        Value image = g.input("image", DType.F32, 0, 2, 5, 5), filter = g.input("filter", DType.F32, 3, 2, 3, 3);
        Value y = g.add(new Conv2d(Convolution.of(1, 1, 1, 1)), image, filter).output(0);
        g.output(
                "gradient",
                io.kingfisher.runtime.graph.Autodiff.gradients(y.sum(), List.of(filter))
                        .get(0));
        try (Program program = device.compile(g)) {
            program.output("none").fill(5);
            program.replay();
            assertEquals(0, program.output("product").elements());
            assertArrayEquals(new float[16], program.output("none").floats());
            assertEquals(0, program.output("sum").item());
            assertArrayEquals(new float[54], program.output("gradient").floats());
        }
    }

    @Test
    void doublesStayDoubles() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F64, 2, 2);
        g.output("y", x.matmul(x, false, true).map(Expr.arg(0).exp()));
        try (Program program = device.compile(g)) {
            program.input("x").write(0.1, 0.2, 0.3, 0.4);
            program.replay();
            assertArrayEquals(
                    new double[] {Math.exp(0.05), Math.exp(0.11), Math.exp(0.11), Math.exp(0.25)},
                    program.output("y").doubles(),
                    1e-15);
        }
    }

    @Test
    void oneBlockIsFarSmallerThanAllValues() {
        int layers = 60, size = 64;
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, size, size);
        Value w = g.input("w", DType.F32, size, size);
        Value h = x;
        for (int i = 0; i < layers; i++) {
            h = h.matmul(w).tanh();
        }
        g.output("y", h);
        try (Program program = device.compile(g)) {
            long value = 4L * size * size;
            assertTrue(
                    program.arenaBytes() <= 8 * value,
                    "arena " + program.arenaBytes() + ", a value " + value + "\n" + program.describe());
        }
    }

    @Test
    void closedThingsSaySo() {
        Tensor a = tensor(1, 2);
        Graph g = new Graph();
        g.assign(a, g.read(a).add(1));
        Program program = device.compile(g);
        assertThrows(KingfisherException.class, () -> program.input("nothing"));
        program.replay();
        a.close();
        assertTrue(assertThrows(KingfisherException.class, program::replay)
                .getMessage()
                .contains("closed tensor"));
        program.close();
        program.close();
        assertTrue(assertThrows(KingfisherException.class, program::replay)
                .getMessage()
                .contains("compile"));
        assertThrows(KingfisherException.class, () -> device.compile(g));

        Graph h = new Graph();
        h.output("x", h.input("x", DType.F32, 1));
        Program other = device.compile(h);
        Tensor input = other.input("x");
        device.close();
        assertTrue(assertThrows(KingfisherException.class, other::replay)
                .getMessage()
                .contains("device cpu"));
        assertThrows(KingfisherException.class, input::segment);
        assertThrows(KingfisherException.class, () -> device.compile(h));
    }

    @Test
    void aFactorizationThatFailsSaysSoInItsInfo() {
        Graph g = new Graph();
        Value a = g.input("a", DType.F32, 2, 2);
        var node = g.add(new io.kingfisher.runtime.graph.LinearAlgebra.Cholesky(), a);
        g.output("l", node.output(0));
        g.output("info", node.output(1));
        try (Program program = device.compile(g)) {
            program.input("a").write(4f, 9f, 2f, 5f);
            program.replay();
            assertArrayEquals(new float[] {2, 0, 1, 2}, program.output("l").floats());
            assertEquals(0, program.output("info").item());
            program.input("a").write(1f, 2f, 2f, 1f);
            program.replay();
            assertEquals(2, program.output("info").item());
            assertTrue(Double.isNaN(program.output("l").get(0)));
            program.input("a").write(Float.NaN, 0f, 0f, 1f);
            program.replay();
            assertEquals(1, program.output("info").item());
        }
    }

    /** In the layouts that convolutions leave behind, too. */
    @ParameterizedTest
    @CsvSource({"6,2,2,9", "8,2,2,8", "16,3,2,9", "8,3,3,9", "5,2,1,4", "8,2,2,2", "1,2,2,5"})
    void theMaximumOfAWindowKeepsWhatIsNotFinite(int channels, int kernel, int stride, int size) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 2, channels, size, size);
        double[] identity = new double[channels * channels];
        for (int i = 0; i < channels; i++) {
            identity[i * channels + i] = 1;
        }
        Value w = g.constant(DType.F32, Shape.of(channels, channels, 1, 1), identity);
        Value moved = g.add(new Conv2d(Convolution.of(1, 0, 1, 1)), x, w).output(0);
        // The convolution spreads what is not finite over the channels, so it comes after it.
        Value special = g.input("special", DType.F32, 2, channels, size, size);
        Value image = g.map(Expr.select(Expr.arg(1).equalTo(Expr.of(0)), Expr.arg(0), Expr.arg(1)), moved, special);
        var pool = new Pool.MaxPool2d(Pool.Window.of(kernel, stride, 0));
        var node = g.add(pool, image);
        g.output("most", node.output(0));
        g.output("places", node.output(1));
        try (Program program = device.compile(g);
                Device reference = Device.open("reference");
                Program expected = reference.compile(g)) {
            var random = new java.util.Random(3);
            for (Program p : List.of(program, expected)) {
                random.setSeed(3);
                for (long i = 0; i < p.input("x").elements(); i++) {
                    p.input("x").set(i, random.nextInt(5) - 2);
                    double[] specials = {Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 0, 0, 0};
                    p.input("special").set(i, specials[random.nextInt(6)]);
                }
                p.replay();
            }
            assertArrayEquals(
                    expected.output("most").floats(), program.output("most").floats());
            assertArrayEquals(
                    expected.output("places").floats(), program.output("places").floats());
            assertTrue(channels == 1 || program.describe().contains("as a2."), program.describe());
        }
    }

    @Test
    void theReportNamesLibrariesAndThreads() {
        String report = String.join("\n", device.report());
        assertTrue(report.contains("dnnl 3.") && report.contains("openblas 0."), report);
        assertTrue(report.contains("2 in oneDNN (OpenMP), 2 in OpenBLAS"), report);
    }
}
