package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class FunctionsTest {
    private double sum;

    /** Whatever arguments a function has seen, on which it depends what the JIT compiler can leave out. */
    @Test
    void noneAllocates() {
        Runnable all = () -> {
            var random = new Random(3);
            for (int i = 0; i < 2000; i++) {
                double x = Math.scalb(1 + random.nextDouble(), random.nextInt(60) - 30);
                sum += Functions.exp(-x)
                        + Functions.log(x)
                        + Functions.tanh(x)
                        + Functions.sigmoid(x)
                        + Functions.erf(x)
                        + Functions.floor(x)
                        + Functions.sin(x)
                        + Functions.cos(x)
                        + Functions.softplus(x)
                        + Functions.pow(x, random.nextDouble());
            }
        };
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 30; i++) {
            least = Math.min(least, Allocations.of(all));
        }
        // The generator of random numbers alone.
        assertEquals(0, least / 2000, least + " bytes in 2000 calls of each");
    }
}
