package io.kingfisher.optimizers.curvature;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TriangularInverseTest {
    /** L^T (inverse of L L^T) L is the identity, for sizes that are one block, two, and a tree of uneven ones. */
    @ParameterizedTest
    @CsvSource({"2, 1", "2, 7", "1, 257", "1, 531"})
    void invertsWhatTheFactorMakes(int groups, int n) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Graph graph = new Graph();
            var l = graph.input("l", DType.F64, groups, n, n);
            var inverse = TriangularInverse.symmetric(l);
            graph.output("inverse", inverse);
            graph.output("product", l.matmul(inverse, true, false).matmul(l));
            try (Program program = device.compile(graph)) {
                Random random = new Random(3);
                for (int k = 0; k < groups * n * n; k++) {
                    int i = k / n % n, j = k % n;
                    program.input("l").set(k, i == j ? 1 + random.nextDouble() : i > j ? random.nextGaussian() / n : 0);
                }
                program.replay();
                double[] product = program.output("product").doubles();
                double[] found = program.output("inverse").doubles();
                for (int k = 0; k < groups * n * n; k++) {
                    int i = k / n % n, j = k % n, group = k / n / n;
                    assertEquals(i == j ? 1 : 0, product[k], 1e-12);
                    assertEquals(found[k], found[(group * n + j) * n + i], 1e-12);
                }
            }
        }
    }
}
