package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The shortcut of a residual network, a 1x1 kernel with a stride, with channels that fill no block of oneDNN's. */
class StridedPointwiseTest {
    private static Map<String, double[]> run(String name, int channels, int outputs, boolean last) {
        try (Device device = Device.open(name, new DeviceOptions(1))) {
            Graph g = new Graph();
            Convolution window = Convolution.of(2, 0, 1, 1);
            Value x = g.input("x", DType.F32, 3, channels, 16, 16), dy = g.input("dy", DType.F32, 3, outputs, 8, 8);
            Value w = g.input("w", DType.F32, outputs, channels, 1, 1);
            // What another convolution leaves has the channels last.
            Value kernel = g.input("kernel", DType.F32, channels, channels, 3, 3);
            Value image = last
                    ? g.add(new Conv2d(Convolution.of(1, 1, 1, 1)), x, kernel)
                            .output(0)
                            .relu()
                    : x;
            g.output("y", g.add(new Conv2d(window), image, w).output(0));
            g.output("dx", g.add(new Conv2dInputGrad(window, x.shape()), dy, w).output(0));
            g.output(
                    "dw",
                    g.add(new Conv2dWeightGrad(window, Shape.of(outputs, channels, 1, 1)), image, dy)
                            .output(0));
            try (Program program = device.compile(g)) {
                Random random = new Random(channels + outputs);
                for (String input : g.inputs().keySet()) {
                    Tensor tensor = program.input(input);
                    for (int i = 0; i < tensor.elements(); i++) {
                        tensor.set(i, (float) random.nextGaussian());
                    }
                }
                program.replay();
                program.replay();
                Map<String, double[]> results = new LinkedHashMap<>();
                g.outputs()
                        .keySet()
                        .forEach(o -> results.put(o, program.output(o).doubles()));
                return results;
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 4, false", "2, 4, true", "3, 5, true", "4, 8, true", "4, 8, false", "6, 16, true", "12, 24, true"})
    void agreesWithTheReference(int channels, int outputs, boolean last) {
        Map<String, double[]> expected = run("reference", channels, outputs, last);
        run("cpu", channels, outputs, last)
                .forEach((name, values) -> assertArrayEquals(expected.get(name), values, 2e-4, name));
    }
}
