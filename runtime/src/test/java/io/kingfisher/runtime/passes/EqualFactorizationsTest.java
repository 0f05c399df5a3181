package io.kingfisher.runtime.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Factorizations of one shape become one op, with the results that each had alone. */
class EqualFactorizationsTest {
    private final Graph graph = new Graph();

    private static List<Node> of(Graph graph, Class<? extends Op> op) {
        return graph.nodes().stream().filter(node -> op.isInstance(node.op())).toList();
    }

    /** A symmetric positive definite matrix of an input. */
    private Value matrix(String name, long... shape) {
        Value x = graph.input(name, DType.F32, shape);
        long n = shape[shape.length - 1];
        Value eye = graph.iota(DType.I32, (int) n)
                .reshape(n, 1)
                .equalTo(graph.iota(DType.I32, (int) n))
                .cast(DType.F32);
        return x.matmul(x, true, false).add(eye);
    }

    private Value cholesky(Value a) {
        return graph.add(new LinearAlgebra.Cholesky(), a).output(0);
    }

    /** Fills inputs with numbers of their names and compares all outputs. */
    private void compare(Graph other) {
        assertEquals(graph.outputs().keySet(), other.outputs().keySet());
        try (Device device = Device.open("reference");
                Program want = device.compile(graph);
                Program got = device.compile(other)) {
            graph.inputs().forEach((name, value) -> {
                double[] numbers = new double[Math.toIntExact(value.shape().elements())];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = Math.sin(1 + i * 0.7 + name.hashCode());
                }
                want.input(name).write(numbers);
                got.input(name).write(numbers);
            });
            want.replay();
            got.replay();
            graph.outputs()
                    .keySet()
                    .forEach(name -> assertArrayEquals(
                            want.output(name).doubles(), got.output(name).doubles(), name));
        }
    }

    @Test
    void equalOnesAreOneBatch() {
        int count = 0;
        for (long[] shape : new long[][] {{4, 4}, {1, 4, 4}, {3, 4, 4}, {2, 1, 4, 4}, {5, 5}}) {
            Value l = cholesky(matrix("x" + count, shape));
            graph.output("solved" + count, LinearAlgebra.solve(l, matrix("b" + count, shape), false));
            graph.output("factor" + count++, l);
        }
        Graph together = EqualFactorizations.together(graph);
        // Seven of 4 x 4 and the one of 5 x 5; who solves with them takes the batch as it is.
        assertEquals(2, of(together, LinearAlgebra.Cholesky.class).size());
        assertEquals(2, of(together, LinearAlgebra.TriangularSolve.class).size());
        assertEquals(2, of(together, Movement.Concat.class).size());
        Node batch = of(together, LinearAlgebra.Cholesky.class).stream()
                .filter(node -> node.input(0).dim(-1) == 4)
                .findFirst()
                .orElseThrow();
        assertEquals(7, batch.input(0).dim(0));
        compare(together);
    }

    /** The second waits for the first, the third for nobody. */
    @Test
    void whoWaitsIsInALaterBatch() {
        Value first = cholesky(matrix("x", 3, 3)), third = cholesky(matrix("y", 3, 3));
        Value second = cholesky(first.matmul(first, false, true).add(third.mul(third)));
        graph.output("second", second);
        graph.output("fourth", cholesky(third.matmul(third, false, true)));
        Graph together = EqualFactorizations.together(graph);
        assertEquals(2, of(together, LinearAlgebra.Cholesky.class).size());
        compare(together);
    }

    @Test
    void everyResultIsThere() {
        for (int i = 0; i < 3; i++) {
            Node eigh = graph.add(new LinearAlgebra.Eigh(), matrix("x" + i, 1, 4, 4));
            graph.output("values" + i, eigh.output(0));
            graph.output("vectors" + i, eigh.output(1));
            graph.output("info" + i, eigh.output(2));
        }
        Graph together = EqualFactorizations.together(graph);
        assertEquals(1, of(together, LinearAlgebra.Eigh.class).size());
        compare(together);
    }

    /** Other types, other ops, other right sides; what no routine takes in batches; large matrices; empty ones. */
    @Test
    void whatDiffersStaysApart() {
        Value a = matrix("x", 4, 4), wide = a.cast(DType.F64);
        graph.output("a", cholesky(a));
        graph.output("wide", cholesky(wide));
        graph.output("eigh", graph.add(new LinearAlgebra.Eigh(), a).output(0));
        Value l = cholesky(matrix("y", 5, 5));
        graph.output("one", LinearAlgebra.solve(l, graph.input("b", DType.F32, 5, 1), false));
        graph.output("two", LinearAlgebra.solve(l, graph.input("c", DType.F32, 5, 2), false));
        graph.output("back", LinearAlgebra.solve(l, graph.input("d", DType.F32, 5, 2), true));
        for (int i = 0; i < 2; i++) {
            graph.output(
                    "q" + i,
                    graph.add(new LinearAlgebra.Qr(), matrix("q" + i, 3, 3)).output(0));
            graph.output(
                    "s" + i,
                    graph.add(new LinearAlgebra.Svd(), matrix("s" + i, 3, 3)).output(1));
            graph.output("none" + i, cholesky(graph.input("none" + i, DType.F32, 0, 3, 3)));
            long large = EqualFactorizations.MOST_ROWS + 1;
            graph.output("large" + i, cholesky(graph.input("large" + i, DType.F32, large, large)));
        }
        assertSame(graph, EqualFactorizations.together(graph));
    }
}
