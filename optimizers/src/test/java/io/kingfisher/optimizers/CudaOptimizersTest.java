package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.DeviceOptions.Execution;
import io.kingfisher.runtime.cuda.EmulatedGpu;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every optimizer on the CUDA device, played by the processor: graphs against plain steps, and against the reference. */
class CudaOptimizersTest {
    private static final int STEPS = 7;

    private static Map<String, double[]> train(Device device, Maker maker, TestNet.Kind kind) {
        TestNet net = TestNet.of(kind, 5, device);
        net.compile(maker.make(net), false);
        for (int i = 0; i < STEPS; i++) {
            net.step();
        }
        return net.everything();
    }

    /** Seven steps, a refresh of the curvature among them. */
    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#all")
    void replaysArePlainSteps(Maker maker) {
        List<TestNet.Kind> kinds = maker.emulated() == Maker.Emulated.ALL_NETS
                ? List.of(TestNet.Kind.CONV, TestNet.Kind.DEPTHWISE, TestNet.Kind.TRANSFORMER)
                : List.of(TestNet.Kind.CONV);
        for (TestNet.Kind kind : kinds) {
            try (EmulatedGpu graphs = EmulatedGpu.open();
                    EmulatedGpu steps = EmulatedGpu.open(new DeviceOptions(1).withExecution(Execution.PLAIN));
                    Device reference = Device.open("reference")) {
                Map<String, double[]> captured = train(graphs.device(), maker, kind);
                Map<String, double[]> plain = train(steps.device(), maker, kind);
                assertEquals(plain.keySet(), captured.keySet());
                captured.forEach((name, values) -> assertArrayEquals(plain.get(name), values, name));
                // Elsewhere biases before a norm and those of keys have no gradient, and Adam moves them by the sign of
                // rounding errors.
                boolean settled = switch (maker.emulated()) {
                    case ALL_NETS -> kind == TestNet.Kind.DEPTHWISE;
                    case ONE_NET -> true;
                    case ONE_NET_ALONE -> false;
                };
                if (settled) {
                    close(train(reference, maker, kind), captured, maker);
                }
            }
        }
    }

    private static void close(Map<String, double[]> exact, Map<String, double[]> actual, Maker maker) {
        assertEquals(exact.keySet(), actual.keySet());
        exact.forEach((name, want) -> {
            // An eigenvector's sign is free.
            if (name.endsWith(".vectors")) {
                return;
            }
            double scale = 1e-2;
            for (double value : want) {
                scale = Math.max(scale, Math.abs(value));
            }
            for (int k = 0; k < want.length; k++) {
                assertEquals(want[k], actual.get(name)[k], 1e-4 * scale, maker + ": " + name + " at " + k);
            }
        });
    }
}
