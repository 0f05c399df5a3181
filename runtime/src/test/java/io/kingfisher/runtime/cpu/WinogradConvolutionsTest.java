package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which way a device computes convolutions, and that both ways agree with the reference. */
class WinogradConvolutionsTest {
    private record Run(Map<String, double[]> results, String steps) {}

    private static Run run(String name, boolean winograd) {
        try (Device device = Device.open(name, new DeviceOptions(2).withWinograd(winograd))) {
            Graph g = new Graph();
            Convolution window = Convolution.of(1, 1, 1, 1);
            Value x = g.input("x", DType.F32, 8, 64, 16, 16), w = g.input("w", DType.F32, 64, 64, 3, 3);
            Value dy = g.input("dy", DType.F32, 8, 64, 16, 16), bias = g.input("bias", DType.F32, 64);
            Value y = g.add(new Conv2d(window), x, w).output(0).add(bias.reshape(64, 1, 1));
            g.output("y", y.relu());
            g.output("dx", g.add(new Conv2dInputGrad(window, x.shape()), dy, w).output(0));
            g.output("dw", g.add(new Conv2dWeightGrad(window, w.shape()), x, dy).output(0));
            try (Program program = device.compile(g)) {
                Random random = new Random(3);
                for (String input : new String[] {"x", "w", "dy", "bias"}) {
                    Tensor tensor = program.input(input);
                    for (int i = 0; i < tensor.elements(); i++) {
                        tensor.set(i, (float) random.nextGaussian());
                    }
                }
                program.replay();
                Map<String, double[]> results = new TreeMap<>();
                g.outputs()
                        .keySet()
                        .forEach(o -> results.put(o, program.output(o).doubles()));
                return new Run(results, program.describe());
            }
        }
    }

    private static long winograd(Run run) {
        return run.steps()
                .lines()
                .filter(line -> line.contains("by Winograd F(4x4, 3x3)"))
                .count();
    }

    @Test
    void computesDirectlyWhereAskedTo() {
        Run reference = run("reference", true), fast = run("cpu", true), direct = run("cpu", false);
        assertEquals(3, winograd(fast), fast.steps());
        assertEquals(0, winograd(direct), direct.steps());
        for (Run run : new Run[] {fast, direct}) {
            reference.results().forEach((name, want) -> {
                double[] got = run.results().get(name);
                double largest = 0, worst = 0;
                for (int i = 0; i < want.length; i++) {
                    largest = Math.max(largest, Math.abs(want[i]));
                    worst = Math.max(worst, Math.abs(want[i] - got[i]));
                }
                assertEquals(0, worst / largest, 5e-6, name);
            });
        }
    }
}
