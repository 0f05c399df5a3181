package io.kingfisher.runtime.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Programs of the reference device: inputs, outputs, assignments and closing. */
class ReferenceDeviceTest {
    @Test
    void assignmentsHappenAtOnce() {
        try (Device device = Device.open("reference")) {
            var a = device.allocate(DType.F32, Shape.of(2));
            var b = device.allocate(DType.F32, Shape.of(2));
            a.write(1f, 2f);
            b.write(3f, 4f);
            Graph g = new Graph();
            var oldA = g.read(a);
            var oldB = g.read(b);
            g.assign(a, oldB);
            g.assign(b, oldA.add(g.read(a)));
            g.output("a", oldA);
            try (var program = device.compile(g)) {
                program.replay();
                assertArrayEquals(new float[] {3, 4}, a.floats());
                assertArrayEquals(new float[] {4, 6}, b.floats());
                assertArrayEquals(new float[] {1, 2}, program.output("a").floats());
                program.replay();
                assertArrayEquals(new float[] {4, 6}, a.floats());
                assertArrayEquals(new float[] {7, 10}, b.floats());
            }
        }
    }

    @Test
    void lastAssignmentCounts() {
        try (Device device = Device.open("reference")) {
            var a = device.allocate(DType.F64, Shape.SCALAR);
            Graph g = new Graph();
            g.assign(a, g.read(a).add(1));
            g.assign(a, g.read(a).add(1));
            try (var program = device.compile(g)) {
                program.replay();
                program.replay();
                assertEquals(4, a.item());
            }
        }
    }

    @Test
    void inputsKeepTheirMemoryAndGradientsFlow() {
        try (Device device = Device.open("reference")) {
            Graph g = new Graph();
            var x = g.input("x", DType.F64, 3);
            var loss = x.square().sum();
            g.output("loss", loss);
            g.output("dx", Autodiff.gradients(loss, List.of(x)).get(0));
            try (var program = device.compile(g)) {
                var memory = program.input("x").segment();
                for (double s = 1; s < 3; s++) {
                    program.input("x").write(s, 2.0, 3.0);
                    program.replay();
                    assertEquals(s * s + 13, program.output("loss").item());
                    assertArrayEquals(
                            new double[] {2 * s, 4, 6}, program.output("dx").doubles());
                }
                assertEquals(memory.address(), program.input("x").segment().address());
                assertEquals(0, program.nativeCalls());
                assertTrue(program.arenaBytes() > 0);
                assertTrue(program.describe().contains("Reduce"));
            }
        }
    }

    @Test
    void closedThingsSaySo() {
        try (Device device = Device.open("reference")) {
            var a = device.allocate(DType.F32, Shape.of(2));
            Graph g = new Graph();
            g.output("y", g.read(a).mul(2));
            var program = device.compile(g);
            var output = program.output("y");
            assertEquals(2, device.live());
            assertThrows(KingfisherException.class, () -> program.input("z"));
            a.close();
            assertThrows(KingfisherException.class, program::replay);
            program.close();
            assertThrows(KingfisherException.class, program::replay);
            assertThrows(KingfisherException.class, output::floats);
            assertEquals(0, device.live());
        }
    }

    @Test
    void closingTheDeviceClosesPrograms() {
        Device device = Device.open("reference");
        Graph g = new Graph();
        g.output("y", g.scalar(1));
        var program = device.compile(g);
        device.close();
        assertEquals(0, device.live());
        assertThrows(KingfisherException.class, program::replay);
    }

    @Test
    void integersAndBrainFloatsAreConverted() {
        try (Device device = Device.open("reference")) {
            Graph g = new Graph();
            var x = g.constant(DType.F32, Shape.of(5), 1.7, -1.7, 300, 1.00390625, Double.NaN);
            g.output("i", x.cast(DType.I32));
            g.output("u", x.cast(DType.U8).cast(DType.F32));
            g.output("b", x.cast(DType.BF16).cast(DType.F64));
            try (var program = device.compile(g)) {
                program.replay();
                assertArrayEquals(
                        new double[] {1, -1, 300, 1, 0}, program.output("i").doubles());
                assertArrayEquals(
                        new double[] {1, 255, 44, 1, 0}, program.output("u").doubles());
                assertArrayEquals(
                        new double[] {1.703125, -1.703125, 300, 1, Double.NaN},
                        program.output("b").doubles());
            }
        }
    }
}
