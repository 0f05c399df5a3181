package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.cpu.Net;
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
    }

    /** With TF32 images keep their channels last from the first convolution to the pooling, and back. */
    @Test
    void channelsStayLastBetweenConvolutions() {
        String steps = compare(new DeviceOptions(1).withTf32(true), net -> net.residual(2, 8, 8), 1, 3e-2);
        assertEquals(5, lines(steps, "then ReLU to").size(), steps);
        // The input, five kernels of more than one place, and the gradient behind the pooling; nothing between.
        assertEquals(7, lines(steps, "Transpose").size(), steps);
        assertEquals(List.of(), lines(steps, "to row-major order"));
    }
}
