package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cpu.Net;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Whole training steps on the CUDA device, played by the processor, against the reference device. */
class CudaTrainingTest {
    private static String compare(DeviceOptions options, Function<Net, Program> record, int steps, double tolerance) {
        try (EmulatedGpu gpu = EmulatedGpu.open(options);
                Device reference = Device.open("reference")) {
            Net a = new Net(gpu.device()), b = new Net(reference);
            Program fast = record.apply(a), slow = record.apply(b);
            for (int step = 0; step < steps; step++) {
                Net.feed(fast, 10, step);
                Net.feed(slow, 10, step);
                fast.replay();
                slow.replay();
                double expected = slow.output("loss").item();
                assertEquals(
                        expected, fast.output("loss").item(), tolerance * Math.abs(expected), "loss of step " + step);
            }
            for (int i = 0; i < a.parameters.size(); i++) {
                double[] x = a.parameters.get(i).doubles(),
                        y = b.parameters.get(i).doubles();
                double scale = 0;
                for (double v : y) {
                    scale = Math.max(scale, Math.abs(v));
                }
                for (int k = 0; k < x.length; k++) {
                    assertEquals(y[k], x[k], tolerance * scale, "parameter " + i + " at " + k);
                }
            }
            return fast.describe();
        }
    }

    private static List<String> lines(String description, String with) {
        return description.lines().filter(line -> line.contains(with)).toList();
    }

    @Test
    void lenet() {
        compare(new DeviceOptions(1), net -> net.lenet(3), 3, 1e-4);
    }

    /** Five of the six batch norms have a ReLU behind them, two of these after adding a residual. */
    @Test
    void residualNetwork() {
        String steps = compare(new DeviceOptions(1), net -> net.residual(3, 5, 9), 2, 1e-3);
        assertEquals(5, lines(steps, "then ReLU to").size(), steps);
        assertEquals(
                2,
                lines(steps, " plus ").stream()
                        .filter(line -> line.contains("then ReLU"))
                        .count(),
                steps);
        assertEquals(List.of(), lines(steps, "channels last"));
        // Gradients that are sums of two are added up by themselves; a shortcut reads one that is kept.
        assertEquals(3, lines(steps, "is positive").size(), steps);
        assertEquals(1, lines(steps, ", kept as").size(), steps);
    }

    /** With TF32 images keep their channels last from the first convolution to the pooling, and back. */
    @Test
    void channelsStayLastBetweenConvolutions() {
        String steps = compare(new DeviceOptions(1).withTf32(true), net -> net.residual(2, 8, 8), 1, 3e-2);
        assertEquals(5, lines(steps, "then ReLU to").size(), steps);
        assertEquals(3, lines(steps, "is positive").size(), steps);
        // The input, five kernels of more than one place, and the gradient behind the pooling; nothing between.
        assertEquals(7, lines(steps, "Transpose").size(), steps);
        assertEquals(List.of(), lines(steps, "to row-major order"));
    }

    private static Program halves(Net net) {
        Value x = net.graph.input("x", DType.F32, 2, 3, 6, 6).cast(DType.BF16);
        Value first = net.parameter(0.3, 0, 8, 3, 3, 3), second = net.parameter(0.3, 0, 4, 8, 3, 3);
        Conv2d conv = new Conv2d(Convolution.of(1, 1, 1, 1));
        Value h =
                net.graph.add(conv, x, first.cast(DType.BF16)).output(0).relu().cast(DType.BF16);
        Value y = net.graph.add(conv, h, second.cast(DType.BF16)).output(0).cast(DType.F32);
        Value loss = y.square().mean();
        net.graph.output("loss", loss);
        List<Value> gradients = Autodiff.gradients(loss, List.of(first, second));
        for (int i = 0; i < 2; i++) {
            net.graph.assign(
                    net.parameters.get(i),
                    (i == 0 ? first : second).sub(gradients.get(i).mul(0.1)));
        }
        return net.device.compile(net.graph);
    }

    /** The casts of images and kernels put the channels last; nothing is transposed, whole updates are one launch. */
    @Test
    void castsToHalvesPutChannelsLast() {
        try (EmulatedGpu gpu = EmulatedGpu.open();
                Device reference = Device.open("reference")) {
            Net a = new Net(gpu.device()), b = new Net(reference);
            Program fast = halves(a), slow = halves(b);
            for (Program program : List.of(fast, slow)) {
                Tensor x = program.input("x");
                for (int i = 0; i < x.elements(); i++) {
                    x.set(i, Math.sin(i));
                }
                program.replay();
            }
            assertEquals(slow.output("loss").item(), fast.output("loss").item(), 1e-2);
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(
                        b.parameters.get(i).doubles(), a.parameters.get(i).doubles(), 5e-3, "parameter " + i);
            }
            assertEquals(List.of(), lines(fast.describe(), "Transpose"), fast.describe());
        }
    }
}
