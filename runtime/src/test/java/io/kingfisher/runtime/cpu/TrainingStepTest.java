package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Whole training steps on the CPU against the reference device. */
class TrainingStepTest {
    private static void compare(Function<Net, Program> record, int steps, double tolerance) {
        try (Device cpu = Device.open("cpu", new DeviceOptions(2));
                Device reference = Device.open("reference")) {
            Net a = new Net(cpu), b = new Net(reference);
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
        }
    }

    @Test
    void multilayerPerceptron() {
        compare(
                net -> {
                    var x = net.graph.input("x", io.kingfisher.runtime.DType.F32, 5, 30);
                    return net.train(net.linear(net.linear(x, 17).relu(), 10), 0.1);
                },
                5,
                1e-4);
    }

    @Test
    void lenet() {
        compare(net -> net.lenet(3), 3, 1e-4);
    }

    @Test
    void residual() {
        compare(net -> net.residual(2, 8, 10), 2, 1e-3);
    }

    @Test
    void residualWithUnevenChannels() {
        compare(net -> net.residual(3, 5, 9), 2, 1e-3);
    }
}
