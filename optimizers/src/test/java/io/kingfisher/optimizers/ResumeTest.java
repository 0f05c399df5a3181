package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** State that is saved and written back goes on as if nothing had happened, bit for bit. */
class ResumeTest {
    private static final int BEFORE = 7;
    private static final int AFTER = 6;

    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#all")
    void continuesBitForBit(Maker maker) {
        for (TestNet.Kind kind : TestNet.Kind.values()) {
            Map<String, double[]> saved, expected;
            try (TestNet net = TestNet.of(kind, 1)) {
                net.compile(maker.make(net), false);
                steps(net, BEFORE);
                saved = net.everything();
                steps(net, AFTER);
                expected = net.everything();
            }
            try (TestNet net = TestNet.of(kind, 1)) {
                Optimizer optimizer = maker.make(net);
                net.compile(optimizer, false);
                Map<String, Tensor> tensors = new HashMap<>();
                net.model().variables().forEach(v -> tensors.put(v.path(), v.tensor()));
                optimizer.state().tensors().forEach((name, tensor) -> tensors.put("optimizer." + name, tensor));
                assertEquals(saved.keySet(), tensors.keySet());
                saved.forEach((name, values) -> {
                    for (int i = 0; i < values.length; i++) {
                        tensors.get(name).set(i, values[i]);
                    }
                });
                optimizer.resume(BEFORE);
                net.skip(BEFORE);
                steps(net, AFTER);
                Map<String, double[]> actual = net.everything();
                expected.forEach((name, values) -> assertArrayEquals(values, actual.get(name), 0, kind + " " + name));
            }
        }
    }

    private static void steps(TestNet net, int steps) {
        for (int i = 0; i < steps; i++) {
            net.step();
        }
    }

    @Test
    void refreshesFallWhereTheyWouldHave() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Optimizer optimizer = Makers.RELEASED.make(net);
            optimizer.resume(BEFORE);
            for (int t = BEFORE + 1; t <= 12; t++) {
                assertEquals(t == 11 ? Optimizer.Cadence.REFRESH : Optimizer.Cadence.STEP, optimizer.advance());
            }
            assertEquals(12, optimizer.step());
            assertThrows(KingfisherException.class, () -> optimizer.resume(-1));
        }
    }
}
