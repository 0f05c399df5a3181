package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Slices that are stretches of their operand's memory, against the reference's copies. */
class SlicesTest {
    private static final long N = 32;

    /** What a program of x [4 x 32] and a tensor [4 x 32] computes, the tensor's values included. */
    private static Map<String, float[]> results(String name, BiConsumer<Graph, Tensor> record) {
        try (Device device = Device.open(name);
                Tensor tensor = device.allocate(DType.F32, Shape.of(4, N))) {
            fill(tensor, 100);
            Graph g = new Graph();
            record.accept(g, tensor);
            Map<String, float[]> results = new TreeMap<>();
            try (Program program = device.compile(g)) {
                fill(program.input("x"), 1);
                program.replay();
                g.outputs().keySet().forEach(output -> results.put(output, values(program.output(output))));
                results.put("the tensor", values(tensor));
                assertFalse(name.equals("cpu") && program.describe().contains("Slice"), program.describe());
            }
            return results;
        }
    }

    private static void fill(Tensor tensor, double first) {
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, first + i);
        }
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) tensor.get(i);
        }
        return values;
    }

    private static void check(BiConsumer<Graph, Tensor> record) {
        Map<String, float[]> expected = results("reference", record), actual = results("cpu", record);
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach(
                (name, values) -> org.junit.jupiter.api.Assertions.assertArrayEquals(values, actual.get(name), name));
    }

    @Test
    void aResultDoesNotOverwriteWhatItsPartIsStillReadFrom() {
        check((g, _) -> {
            Value y = g.input("x", DType.F32, 4, N).mul(2);
            // The reduction keeps the elementwise ops apart.
            g.output("sum", y.sum(-1));
            Value row = y.slice(0, 2, 3);
            g.output("all", y.add(row));
        });
    }

    @Test
    void partsOfPartsAndOutputs() {
        check((g, _) -> {
            Value y = g.input("x", DType.F32, 4, N).mul(3);
            Value middle = y.slice(0, 1, 3);
            g.output("middle", middle);
            g.output("last", middle.slice(0, 1, 2));
            g.output("half", middle.slice(0, 1, 2).slice(1, 16, 32).exp().sum(-1));
            g.output("product", middle.matmul(y.slice(0, 0, 2), false, true));
        });
    }

    @Test
    void partsOfInputsAndTensorsAreReadBeforeTheTensorChanges() {
        check((g, tensor) -> {
            Value old = g.read(tensor), x = g.input("x", DType.F32, 4, N);
            g.output("old", old.slice(0, 3, 4));
            g.output("x", x.slice(0, 0, 1));
            g.output("inner", old.slice(0, 1, 2).mul(x.slice(0, 2, 3)).sum(-1));
            g.assign(tensor, old.add(x));
        });
    }

    @Test
    void aTensorIsAssignedAPartOfALargerValue() {
        check((g, tensor) -> {
            Value x = g.input("x", DType.F32, 4, N);
            Value twice = x.mul(2).matmul(x, true, false);
            g.output("sum", twice.sum(-1));
            g.assign(tensor, twice.slice(0, 4, 8));
        });
    }
}
