package io.kingfisher.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.graph.Graph;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** IEEE halves against their definition: sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
class HalfTest {
    private static double defined(int bits) {
        double sign = bits >>> 15 == 0 ? 1 : -1;
        int exponent = bits >>> 10 & 31, fraction = bits & 1023;
        if (exponent == 31) {
            return fraction == 0 ? sign / 0 : Double.NaN;
        }
        return sign * (exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * Math.scalb(1.0, exponent - 25));
    }

    @Test
    void everyHalfIsReadAndWrittenBack() {
        for (String name : new String[] {"cpu", "reference"}) {
            try (Device device = Device.open(name)) {
                Tensor halves = device.allocate(DType.F16, Shape.of(1 << 16));
                for (int bits = 0; bits < 1 << 16; bits++) {
                    halves.segment().setAtIndex(ValueLayout.JAVA_SHORT, bits, (short) bits);
                }
                Graph g = new Graph();
                g.output("wide", g.read(halves).cast(DType.F32));
                g.output("again", g.read(halves).cast(DType.F32).cast(DType.F16));
                try (Program program = device.compile(g)) {
                    program.replay();
                    for (int bits = 0; bits < 1 << 16; bits++) {
                        double want = defined(bits);
                        assertEquals(want, halves.get(bits), name);
                        assertEquals(want, program.output("wide").get(bits), name);
                        int again = program.output("again").segment().getAtIndex(ValueLayout.JAVA_SHORT, bits) & 0xffff;
                        assertTrue(again == bits || Double.isNaN(want), name + " " + bits + " became " + again);
                    }
                }
            }
        }
    }

    @Test
    void roundsToTheNearestAndTiesToEven() {
        try (Device device = Device.open("reference")) {
            Tensor half = device.allocate(DType.F16, Shape.of(1));
            for (int bits = 0; bits < 0x7bff; bits += 7) {
                double low = defined(bits), high = defined(bits + 1), middle = (low + high) / 2;
                double even = bits % 2 == 0 ? low : high;
                half.set(0, middle);
                assertEquals(even, half.get(0), "the middle of " + low + " and " + high);
                half.set(0, -Math.nextUp((float) middle));
                assertEquals(-high, half.get(0), "above the middle of " + low + " and " + high);
                half.set(0, Math.nextDown((float) middle));
                assertEquals(low, half.get(0), "below the middle of " + low + " and " + high);
            }
            half.set(0, 65519.99);
            assertEquals(65504, half.get(0));
            half.set(0, 65520);
            assertEquals(Double.POSITIVE_INFINITY, half.get(0));
            half.set(0, Double.NaN);
            assertTrue(Double.isNaN(half.get(0)));
        }
    }
}
