package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.conformance.Case.Observation;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Random programs are the same each time, run, and are well-conditioned enough to be compared. */
class GraphFuzzerTest {
    @Test
    void aDeviceThatRoundsPasses() {
        try (Device device = new ReferenceDevice(true)) {
            List<Result> failures = new ArrayList<>();
            assertTrue(
                    GraphFuzzer.run(device, 0, 200, result -> {
                        if (!result.passed()) {
                            failures.add(result);
                        }
                    }),
                    failures::toString);
        }
    }

    /** What a device is allowed on top of the plain tolerance must stay small, or the comparison would say nothing. */
    @Test
    void roundingMovesLittle() {
        int moved = 0;
        for (long seed = 0; seed < 200; seed++) {
            try (Device exact = new ReferenceDevice();
                    Device rounding = new ReferenceDevice(true);
                    Recording a = GraphFuzzer.program(DType.F32, seed).record(exact);
                    Recording b = GraphFuzzer.program(DType.F32, seed).record(rounding)) {
                var rounded = b.run();
                for (var entry : a.run().entrySet()) {
                    double[] got = rounded.get(entry.getKey()).values(),
                            want = entry.getValue().values();
                    moved += GraphFuzzer.TOLERANCE
                                            .compare(entry.getValue(), got, want)
                                            .size()
                                    > 1
                            ? 1
                            : 0;
                }
            }
        }
        assertTrue(moved < 20, "rounding moves " + moved + " outputs by more than the plain tolerance");
    }

    @Test
    void seedsRepeatAndNumbersStayTame() {
        for (long seed = 0; seed < 200; seed++) {
            long same = seed;
            try (Device device = new ReferenceDevice();
                    Recording a = GraphFuzzer.program(DType.F32, same).record(device);
                    Recording b = GraphFuzzer.program(DType.F32, same).record(device)) {
                assertEquals(a.graph.toString(), b.graph.toString());
                for (Observation observation : a.run().values()) {
                    for (double value : observation.values()) {
                        assertTrue(Math.abs(value) < 1e4, () -> "program " + same + " has " + value);
                    }
                }
            }
        }
    }
}
