package io.kingfisher.optimizers.matrixfree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Solvers against matrices whose solution and spectrum are known by construction. */
class KrylovTest {
    private static final ConjugateGradients.Stop TO_THE_END = new ConjugateGradients.Stop(200, 1e-7, 0);
    private final Device device = Device.open("cpu", new DeviceOptions(1));

    @AfterEach
    void close() {
        assertEquals(0, device.live());
        device.close();
    }

    /** Q diag(values) Q^T with Q a product of reflections, row by row. */
    private static double[] matrix(double... values) {
        int n = values.length;
        double[] a = new double[n * n];
        for (int i = 0; i < n; i++) {
            a[i * n + i] = values[i];
        }
        Random random = new Random(3);
        for (int k = 0; k < 4; k++) {
            double[] u = random.doubles(n, -1, 1).toArray();
            double length = dot(u, u);
            a = reflect(reflect(a, u, length, true), u, length, false);
        }
        return a;
    }

    private static double[] reflect(double[] a, double[] u, double length, boolean left) {
        int n = u.length;
        double[] result = a.clone();
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int k = 0; k < n; k++) {
                sum += u[k] * (left ? a[k * n + i] : a[i * n + k]);
            }
            for (int k = 0; k < n; k++) {
                result[left ? k * n + i : i * n + k] -= 2 * u[k] * sum / length;
            }
        }
        return result;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double[] times(double[] a, double[] x) {
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < x.length; j++) {
                result[i] += a[i * x.length + j] * x[j];
            }
        }
        return result;
    }

    private static LinearOperator operator(double[] a, int n) {
        return v -> v.graph()
                .constant(DType.F32, Shape.of(n, n), a)
                .matmul(v.reshape(n, 1))
                .reshape(n);
    }

    private static double[] wanted(int n) {
        return new Random(7).doubles(n, -1, 1).toArray();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void conjugateGradientsSolve(boolean preconditioned) {
        double[] values = new double[13], want = wanted(13);
        for (int i = 0; i < 13; i++) {
            values[i] = 0.1 + i;
        }
        double[] a = matrix(values), b = times(a, want);
        LinearOperator jacobi = v -> {
            double[] inverse = new double[13];
            for (int i = 0; i < 13; i++) {
                inverse[i] = 1 / a[i * 14];
            }
            return v.mul(v.graph().constant(DType.F32, Shape.of(13), inverse));
        };
        try (var solver = new ConjugateGradients(device, 13, operator(a, 13), preconditioned ? jacobi : v -> v)) {
            solver.right().write(b);
            List<ConjugateGradients.Iterate> all = solver.solve(false, TO_THE_END, 1.3);
            assertArrayEquals(want, solver.solution().doubles(), 2e-5);
            ConjugateGradients.Iterate last = all.get(all.size() - 1);
            assertArrayEquals(want, last.solution().doubles(), 2e-5);
            assertEquals(-0.5 * dot(want, b), last.model(), 1e-4);
            // Iterations at the rounded powers of 1.3, and models that fall.
            int[] powers = {1, 2, 3, 4, 5, 7, 9, 11};
            for (int i = 0; i + 1 < all.size() && i < powers.length; i++) {
                assertEquals(powers[i], all.get(i).iteration());
                assertTrue(all.get(i + 1).model() <= all.get(i).model());
                double[] x = all.get(i).solution().doubles();
                assertEquals(0.5 * dot(x, times(a, x)) - dot(x, b), all.get(i).model(), 1e-4);
            }
            // From its own solution there is hardly anything left to do.
            var more = solver.solve(true, new ConjugateGradients.Stop(3, 0, 0), 1.3);
            assertEquals(-0.5 * dot(want, b), more.get(0).model(), 1e-4);
            assertArrayEquals(want, solver.solution().doubles(), 2e-5);
        }
    }

    /** As many iterations as there are different eigenvalues. */
    @Test
    void distinctEigenvaluesCount() {
        double[] a = matrix(1, 1, 1, 4, 4, 9, 9, 9), want = wanted(8);
        try (var solver = new ConjugateGradients(device, 8, operator(a, 8))) {
            solver.right().write(times(a, want));
            var all = solver.solve(false, new ConjugateGradients.Stop(50, 1e-5, 0), Double.POSITIVE_INFINITY);
            assertEquals(3, all.get(all.size() - 1).iteration());
            assertArrayEquals(want, solver.solution().doubles(), 1e-5);
        }
    }

    /** Martens's rule ends a long solve early, where little is left to gain. */
    @Test
    void stopsWithoutProgress() {
        int n = 60;
        double[] values = new double[n];
        for (int i = 0; i < n; i++) {
            values[i] = Math.pow(10, -4.0 * i / n);
        }
        double[] a = matrix(values), b = times(a, wanted(n));
        try (var solver = new ConjugateGradients(device, n, operator(a, n))) {
            solver.right().write(b);
            var early = solver.solve(false, new ConjugateGradients.Stop(200, 0, 5e-4), Double.POSITIVE_INFINITY);
            int iterations = early.get(early.size() - 1).iteration();
            double reached = early.get(early.size() - 1).model();
            var full = solver.solve(false, new ConjugateGradients.Stop(200, 1e-6, 0), Double.POSITIVE_INFINITY);
            assertTrue(iterations > 10 && iterations < full.get(full.size() - 1).iteration(), "after " + iterations);
            double best = full.get(full.size() - 1).model();
            assertTrue((best - reached) / best < 0.02, reached + " of " + best);
        }
    }

    @Test
    void curvatureThatIsNotPositiveEndsIt() {
        try (var solver = new ConjugateGradients(device, 2, operator(new double[] {1, 0, 0, -1}, 2))) {
            solver.right().write(0.0, 1.0);
            assertEquals(List.of(), solver.solve(false, TO_THE_END, 2));
            solver.right().write(0.0, 0.0);
            assertEquals(List.of(), solver.solve(false, TO_THE_END, 2));
            assertArrayEquals(new double[2], solver.solution().doubles());
        }
    }

    @Test
    void minresSolvesIndefiniteSystems() {
        double[] a = matrix(-5, -2, -0.5, 0.7, 1, 3, 4, 8, 9.5), want = wanted(9);
        try (var solver = new Minres(device, 9, operator(a, 9))) {
            for (int repeat = 0; repeat < 2; repeat++) {
                solver.right().write(times(a, want));
                double residual = solver.solve(40, 1e-6);
                assertTrue(residual <= 1e-6, "residual " + residual);
                assertArrayEquals(want, solver.solution().doubles(), 1e-4);
            }
            solver.right().fill(0);
            assertEquals(0, solver.solve(5, 0));
            assertArrayEquals(new double[9], solver.solution().doubles());
        }
    }

    /** On the way the residual that is reported is the residual. */
    @Test
    void minresKnowsItsResidual() {
        double[] a = matrix(-5, -2, -0.5, 0.7, 1, 3, 4, 8, 9.5), b = times(a, wanted(9));
        try (var solver = new Minres(device, 9, operator(a, 9))) {
            for (int limit = 1; limit < 8; limit++) {
                solver.right().write(b);
                double told = solver.solve(limit, 0);
                double[] left = times(a, solver.solution().doubles());
                for (int i = 0; i < 9; i++) {
                    left[i] -= b[i];
                }
                assertEquals(Math.sqrt(dot(left, left) / dot(b, b)), told, 1e-5, "after " + limit);
            }
        }
    }

    @Test
    void lanczosFindsTheSpectrum() {
        double[] values = {-3, -1, 0.5, 2, 2.5, 7};
        try (var lanczos = new Lanczos(device, 6, operator(matrix(values), 6))) {
            lanczos.start().write(1, 1, 1, 1, 1, 1);
            assertArrayEquals(values, lanczos.spectrum(6), 1e-4);
            // The outermost come first.
            lanczos.start().write(1, -1, 1, 2, 1, 1);
            double[] some = lanczos.spectrum(4);
            assertEquals(7, some[3], 0.2);
            assertTrue(some[0] > -3.001 && some[0] < -2.5);
        }
        try (var lanczos = new Lanczos(device, 3, v -> v.mul(2))) {
            lanczos.start().write(1, 2, 3);
            assertArrayEquals(new double[] {2}, lanczos.spectrum(3), 1e-6);
            lanczos.start().fill(0);
            assertEquals(0, lanczos.spectrum(3).length);
        }
    }

    /** A hidden diagonal: one unknown, and a preconditioner that is the inverse, take one iteration. */
    @Test
    void oneIterationWhereThatIsEnough() {
        try (var one = new ConjugateGradients(device, 1, v -> v.mul(4));
                var exact = new ConjugateGradients(device, 3, KrylovTest::diagonal, v -> v.div(weights(v)))) {
            one.right().write(8.0);
            assertEquals(1, one.solve(false, TO_THE_END, 2).size());
            assertEquals(2, one.solution().item(), 1e-6);
            exact.right().write(1.0, 1.0, 1.0);
            assertEquals(1, exact.solve(false, TO_THE_END, 2).get(0).iteration());
            assertArrayEquals(new double[] {1, 0.1, 0.01}, exact.solution().doubles(), 1e-6);
        }
    }

    private static Value weights(Value v) {
        return v.graph().constant(DType.F32, Shape.of(3), 1, 10, 100);
    }

    private static Value diagonal(Value v) {
        return v.mul(weights(v));
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new ConjugateGradients.Stop(0, 0, 0));
        assertThrows(KingfisherException.class, () -> new ConjugateGradients.Stop(1, Double.NaN, 0));
        assertThrows(KingfisherException.class, () -> new ConjugateGradients.Stop(1, 0, -1));
        try (var solver = new ConjugateGradients(device, 1, v -> v);
                var minres = new Minres(device, 1, v -> v)) {
            assertThrows(KingfisherException.class, () -> solver.solve(false, TO_THE_END, 1));
            assertThrows(KingfisherException.class, () -> minres.solve(0, 1));
        }
    }
}
