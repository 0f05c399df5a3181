package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The gradient of a value cut into slices: one concatenation where they fill it, a sum of pads where they do not. */
class SlicesTest {
    /** Slices of the last axis of [2 x 7], each multiplied by a number of its own. */
    private static Value gradient(Graph graph, Value x, long... bounds) {
        List<Value> parts = new ArrayList<>();
        for (int i = 0; i < bounds.length; i += 2) {
            parts.add(x.slice(1, bounds[i], bounds[i + 1]).mul(i + 1.0).sum());
        }
        return Autodiff.gradients(graph.sum(parts), List.of(x)).get(0);
    }

    private static void check(Class<? extends Op> op, double[] row, long... bounds) {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 7);
        Value dx = gradient(graph, x, bounds);
        assertEquals(op, dx.node().op().getClass());
        graph.output("dx", dx);
        try (Device device = Device.open("reference");
                Program program = device.compile(graph)) {
            program.replay();
            double[] twice = Arrays.copyOf(row, 14);
            System.arraycopy(row, 0, twice, 7, 7);
            assertArrayEquals(twice, program.output("dx").doubles());
        }
    }

    @Test
    void slicesThatFillAreJoined() {
        check(Movement.Concat.class, new double[] {1, 1, 3, 3, 3, 5, 5}, 0, 2, 2, 5, 5, 7);
        check(Movement.Concat.class, new double[] {3, 3, 3, 3, 3, 1, 1}, 5, 7, 0, 5);
    }

    @Test
    void othersAreSummed() {
        // A gap, an overlap, and one slice twice.
        check(Map.class, new double[] {1, 1, 0, 3, 3, 3, 3}, 0, 2, 3, 7);
        check(Map.class, new double[] {1, 1, 1, 4, 3, 3, 3}, 0, 4, 3, 7);
        check(Map.class, new double[] {4, 4, 4, 0, 0, 0, 0}, 0, 3, 0, 3);
    }

    @Test
    void slicesAlongDifferentAxesAreSummed() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 2);
        Value loss = x.slice(0, 0, 1).sum().add(x.slice(1, 1, 2).sum());
        Value dx = Autodiff.gradients(loss, List.of(x)).get(0);
        assertEquals(Map.class, dx.node().op().getClass());
        graph.output("dx", dx);
        try (Device device = Device.open("reference");
                Program program = device.compile(graph)) {
            program.replay();
            assertArrayEquals(new double[] {1, 2, 0, 1}, program.output("dx").doubles());
        }
    }
}
