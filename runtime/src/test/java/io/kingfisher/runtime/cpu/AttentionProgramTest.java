package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What attention costs: forward and backward share the weights. */
class AttentionProgramTest {
    @Test
    void bothDirectionsShareOneSoftmax() {
        try (Device device = Device.open("cpu")) {
            Graph g = new Graph();
            List<Value> x = List.of(
                    g.input("q", DType.F32, 2, 3, 9, 8),
                    g.input("k", DType.F32, 2, 3, 9, 8),
                    g.input("v", DType.F32, 2, 3, 9, 8));
            Value y = Attention.record(x.get(0), x.get(1), x.get(2), 0.3, true);
            List<Value> gradients = Autodiff.gradients(y.square().sum(), x);
            for (int i = 0; i < 3; i++) {
                g.output("d" + i, gradients.get(i));
            }
            try (Program program = device.compile(g)) {
                List<String> lines = program.describe().lines().toList();
                assertEquals(
                        1, lines.stream().filter(l -> l.contains("Softmax")).count(), program.describe());
                assertEquals(6, lines.stream().filter(l -> l.contains("MatMul")).count(), program.describe());
            }
        }
    }
}
