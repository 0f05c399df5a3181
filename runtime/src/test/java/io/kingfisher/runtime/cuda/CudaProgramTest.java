package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors, inputs, outputs and replays of the CUDA device on a GPU that does everything as late as it may. */
class CudaProgramTest {
    private EmulatedGpu gpu;
    private CudaDevice device;

    @BeforeEach
    void open() {
        gpu = EmulatedGpu.open();
        device = gpu.device();
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
            assertEquals(0, gpu.driver().liveAllocations());
            assertEquals(0, gpu.libraries().open());
        }
    }

    /** total += x, and 2 x as output. */
    private Program sums(Tensor total, long n) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, n);
        g.output("twice", x.mul(2));
        g.assign(total, g.read(total).add(x));
        return device.compile(g);
    }

    @Test
    void tensorsAreCopied() {
        Tensor t = device.allocate(DType.BF16, Shape.of(3, 5));
        assertArrayEquals(new double[15], t.doubles());
        t.fill(2);
        t.set(7, -1.5);
        assertEquals(-1.5, t.get(7));
        assertEquals(2, t.get(14));
        double[] large = new double[5000];
        for (int i = 0; i < large.length; i++) {
            large[i] = i;
        }
        Tensor many = device.allocate(DType.F64, Shape.of(5000));
        many.write(large);
        assertArrayEquals(large, many.doubles());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = many.bytes(arena);
            assertEquals(4999, bytes.getAtIndex(ValueLayout.JAVA_DOUBLE, 4999));
            MemorySegment target = arena.allocate(many.bytes());
            many.read(target);
            assertEquals(-1, target.mismatch(bytes));
            target.setAtIndex(ValueLayout.JAVA_DOUBLE, 1, 77);
            many.write(target);
            assertEquals(77, many.get(1));
        }
        var refused = assertThrows(KingfisherException.class, many::segment);
        assertTrue(refused.getMessage().contains("read(MemorySegment)"), refused.getMessage());
        assertThrows(IndexOutOfBoundsException.class, () -> many.get(5000));
        assertThrows(IndexOutOfBoundsException.class, () -> many.set(-1, 0));
        many.close();
        assertThrows(KingfisherException.class, () -> many.get(0));
    }

    /** More writes than the staging ring has slots, none of them waited for. */
    @Test
    void manySmallWritesKeepTheirOrder() {
        Tensor rate = device.allocate(DType.F32, Shape.SCALAR);
        Tensor sum = device.allocate(DType.F32, Shape.SCALAR);
        Graph g = new Graph();
        g.assign(sum, g.read(sum).add(g.read(rate)));
        Program program = device.compile(g);
        double expected = 0;
        for (int i = 1; i <= 300; i++) {
            rate.set(0, i);
            program.replay();
            expected += i;
        }
        assertEquals(expected, sum.item());
    }

    /** A product of 16 bits with a bias in F32 is made in F32, and not rounded before the bias is added. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void halfProductsGetTheirBiasUnrounded(DType half) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 5, 3), w = g.input("w", DType.F32, 4, 3), b = g.input("b", DType.F32, 4);
        g.output(
                "y",
                x.cast(half).matmul(w.cast(half), false, true).cast(DType.F32).add(b));
        Program program = device.compile(g);
        double[] factors = new double[15], weights = new double[12], bias = {0.1f, -1, 100, 1e-3f};
        for (int i = 0; i < 15; i++) {
            // Few bits each, so that factors are exact and products need more bits than 16 have.
            factors[i] = 1 + i / 64.0;
            weights[i % 12] = 1 - (i % 12) / 32.0;
        }
        program.input("x").write(factors);
        program.input("w").write(weights);
        program.input("b").write(bias);
        program.replay();
        double[] want = new double[20];
        for (int i = 0; i < 20; i++) {
            double sum = bias[i % 4];
            for (int k = 0; k < 3; k++) {
                sum += factors[i / 4 * 3 + k] * weights[i % 4 * 3 + k];
            }
            want[i] = sum;
        }
        assertArrayEquals(want, program.output("y").doubles(), 1e-5);
        assertTrue(Math.abs(want[0] - 0.1f - Math.rint((want[0] - 0.1f) * 64) / 64) > 1e-3, "16 bits would do");
    }

    @Test
    void theHostFillsTheNextInputWhileTheLastIsRead() {
        Tensor total = device.allocate(DType.F32, Shape.of(4));
        Program program = sums(total, 4);
        Tensor x = program.input("x");
        for (int i = 1; i <= 9; i++) {
            x.write(i, 10 * i, 100 * i, 0);
            program.replay();
        }
        assertArrayEquals(new double[] {45, 450, 4500, 0}, total.doubles());
        assertArrayEquals(
                new double[] {18, 180, 1800, 0}, program.output("twice").doubles());
    }

    /** Two more replays are handed over before what the first has left is read, whenever the GPU does what. */
    @ParameterizedTest
    @EnumSource
    void outputsOfEarlierReplaysAreKept(LateDriver.Pace pace) {
        try (EmulatedGpu other = EmulatedGpu.open(new DeviceOptions(1), emulator -> new LateDriver(emulator, pace))) {
            Graph g = new Graph();
            Value x = g.input("x", DType.F32, 3), y = g.input("y", DType.I32);
            g.output("sum", x.sum());
            g.output("both", x.mul(y.cast(DType.F32)));
            g.output("same", x.sum());
            g.output("large", x.reshape(3, 1).broadcastTo(Shape.of(3, 10_000)).add(1));
            Program program = other.device().compile(g);
            assertEquals(2, program.history());
            int count = 12;
            for (int i = 0; i < count; i++) {
                program.input("x").write(i, 2 * i, 0.5 * i);
                if (i % 3 != 1) {
                    program.input("y").write(i);
                }
                program.replay();
                int at = i - 2;
                if (at >= 0) {
                    assertEquals(3.5 * at, program.output("sum", 2).item());
                    assertEquals(3.5 * at, program.output("same", 2).item());
                    int given = at % 3 == 1 ? at - 1 : at;
                    assertArrayEquals(
                            new double[] {given * at, given * 2.0 * at, given * 0.5 * at},
                            program.output("both", 2).doubles());
                }
            }
            assertEquals(3.5 * (count - 2), program.output("sum", 1).item());
            assertEquals(3.5 * (count - 1), program.output("sum", 0).item());
            assertEquals(3.5 * (count - 1), program.output("sum").item());
            assertEquals(count, program.output("large").get(0));
            refuses("the last 3 replays only", () -> program.output("sum", 3));
            refuses("of the last replay only", () -> program.output("large", 1));
            refuses("no output 'z'", () -> program.output("z", 1));
        }
    }

    /** Inputs of two programs in turn, some not touched, none waited for. */
    @ParameterizedTest
    @EnumSource
    void uploadsChangeNothingThatIsStillRead(LateDriver.Pace pace) {
        try (EmulatedGpu other = EmulatedGpu.open(new DeviceOptions(1), emulator -> new LateDriver(emulator, pace))) {
            Tensor total = other.device().allocate(DType.F32, Shape.of(2));
            Program[] programs = new Program[2];
            for (int i = 0; i < 2; i++) {
                Graph g = new Graph();
                Value a = g.input("a", DType.F32, 2), b = g.input("b", DType.F32, 2);
                g.assign(total, g.read(total).mul(0.5).add(a.mul(i + 1)).add(b));
                programs[i] = other.device().compile(g);
            }
            double[] expected = new double[2], a = new double[4], b = new double[4];
            for (int i = 0; i < 40; i++) {
                int which = i % 3 == 2 ? 1 : 0;
                Program program = programs[which];
                if (i % 5 != 3) {
                    a[2 * which] = i;
                    a[2 * which + 1] = -i;
                    program.input("a").write(i, -i);
                }
                if (i % 4 != 2) {
                    b[2 * which + 1] = 3 * i;
                    program.input("b").set(1, 3 * i);
                }
                program.replay();
                for (int k = 0; k < 2; k++) {
                    expected[k] = (float) (0.5 * expected[k] + (which + 1) * a[2 * which + k] + b[2 * which + k]);
                }
            }
            assertArrayEquals(expected, total.doubles(), 1e-3);
        }
    }

    @Test
    void partialWritesKeepTheOtherElements() {
        Tensor total = device.allocate(DType.F32, Shape.of(3));
        Program program = sums(total, 3);
        Tensor x = program.input("x");
        assertArrayEquals(new double[3], x.doubles());
        x.write(1, 2, 3);
        program.replay();
        x.set(1, 20);
        assertArrayEquals(new double[] {1, 20, 3}, x.doubles());
        program.replay();
        x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 2, 300);
        program.replay();
        // Not touched: replayed as it is.
        program.replay();
        assertArrayEquals(new double[] {4, 62, 606}, total.doubles());
        assertTrue(x == program.input("x"));
    }

    @Test
    void largeOutputsAreCopiedWhenAskedFor() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 40_000);
        g.output("large", x.add(1));
        g.output("small", x.sum());
        Program program = device.compile(g);
        program.input("x").fill(2);
        program.replay();
        program.input("x").fill(3);
        assertEquals(3, program.output("large").get(39_999));
        assertEquals(80_000, program.output("small").item());
        program.replay();
        assertEquals(4, program.output("large").get(0));
        assertEquals(120_000, program.output("small").item());
        for (String name : List.of("large", "small")) {
            assertThrows(KingfisherException.class, () -> program.output(name).segment(), name);
        }
        assertThrows(KingfisherException.class, () -> program.output("small").set(0, 1));
    }

    @Test
    void compilingChangesNoState() {
        Tensor total = device.allocate(DType.F32, Shape.of(2));
        total.write(5, 6);
        sums(total, 2);
        assertArrayEquals(new double[] {5, 6}, total.doubles());
    }

    @Test
    void memoryStaysFlat() {
        Tensor total = device.allocate(DType.F32, Shape.of(8));
        Program program = sums(total, 8);
        int live = gpu.driver().liveAllocations();
        long free = gpu.driver().memory()[0];
        long launches = gpu.driver().launches();
        for (int i = 0; i < 1000; i++) {
            program.input("x").set(0, i);
            program.replay();
            assertEquals(2 * i, program.output("twice").get(0));
        }
        assertEquals(live, gpu.driver().liveAllocations());
        assertEquals(free, gpu.driver().memory()[0]);
        assertEquals(launches + 1000, gpu.driver().launches());
        program.close();
        total.close();
        assertEquals(0, device.live());
        assertEquals(0, gpu.driver().liveAllocations());
    }

    /** A factorization cannot be captured here: graph, call, graph. */
    @Test
    void whatCannotBeCapturedRunsBetweenGraphs() {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 3, 3);
        Value spd = x.matmul(x, false, true).add(g.constant(DType.F32, Shape.of(3, 3), 9, 0, 0, 0, 9, 0, 0, 0, 9));
        Value l = g.add(new LinearAlgebra.Cholesky(), spd).output(0);
        g.output("difference", l.matmul(l, false, true).sub(spd).abs().sum());
        Program program = device.compile(g);
        program.input("x").write(1, 2, 3, 4, 5, 6, 7, 8, 10);
        long launches = gpu.driver().launches();
        program.replay();
        assertEquals(launches + 2, gpu.driver().launches());
        assertTrue(program.graphNodes() >= 4, () -> program.graphNodes() + " nodes");
        assertEquals(0, program.output("difference").item(), 1e-4);
    }

    @Test
    void anyThreadMayReplay() throws InterruptedException {
        Tensor total = device.allocate(DType.F32, Shape.of(1));
        List<Throwable> failures = new ArrayList<>();
        Thread compiling = Thread.ofVirtual().start(() -> {
            try {
                Program program = sums(total, 1);
                for (int i = 0; i < 20; i++) {
                    program.input("x").write(i);
                    Thread.ofVirtual().start(program::replay).join();
                }
            } catch (Throwable e) {
                failures.add(e);
            }
        });
        compiling.join();
        assertEquals(List.of(), failures);
        assertEquals(190, total.item());
    }

    @Test
    void closedThingsRefuse() {
        Tensor total = device.allocate(DType.F32, Shape.of(1));
        Program program = sums(total, 1);
        Program other = sums(total, 1);
        program.close();
        refuses("The program is closed", program::replay);
        refuses("is closed", () -> program.input("x").set(0, 1));
        refuses("is closed", () -> program.output("twice").item());
        total.close();
        refuses("closed tensor", other::replay);
        refuses("no input 'z'", () -> other.input("z"));
        device.close();
        refuses("The device cuda:0", other::replay);
        refuses("The device cuda:0 is closed", () -> device.allocate(DType.F32, Shape.of(1)));
        refuses("The device cuda:0 is closed", () -> device.compile(new Graph()));
    }

    private static void refuses(String what, org.junit.jupiter.api.function.Executable action) {
        var e = assertThrows(KingfisherException.class, action);
        assertTrue(e.getMessage().contains(what), e.getMessage());
    }

    @Test
    void reportSaysWhatThereIs() {
        device.allocate(DType.F32, Shape.of(1 << 18));
        String report = String.join("\n", device.report());
        assertTrue(report.contains("compute capability"), report);
        assertTrue(report.contains("memory: 1.0 MiB in open tensors"), report);
        assertTrue(report.contains("as CUDA graphs"), report);
    }
}
