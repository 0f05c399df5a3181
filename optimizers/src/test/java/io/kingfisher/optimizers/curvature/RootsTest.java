package io.kingfisher.optimizers.curvature;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.optimizers.curvature.Roots.Ridge;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Inverse roots, polar factors and orthogonal iterations against matrices whose eigenvectors are known. */
class RootsTest {
    /** What a recording computes, by name. */
    private static Map<String, double[]> run(Function<Graph, Map<String, Value>> recording) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Graph graph = new Graph();
            recording.apply(graph).forEach(graph::output);
            try (Program program = device.compile(graph)) {
                program.replay();
                Map<String, double[]> result = new TreeMap<>();
                graph.outputs()
                        .keySet()
                        .forEach(name -> result.put(name, program.output(name).doubles()));
                return result;
            }
        }
    }

    /** Orthonormal columns [n x n], row by row. */
    private static double[] orthogonal(int n, long seed) {
        Random random = new Random(seed);
        double[][] columns = new double[n][n];
        for (int c = 0; c < n; c++) {
            for (int i = 0; i < n; i++) {
                columns[c][i] = random.nextGaussian();
            }
            for (int pass = 0; pass < 2; pass++) {
                for (int b = 0; b < c; b++) {
                    double dot = dot(columns[b], columns[c]);
                    for (int i = 0; i < n; i++) {
                        columns[c][i] -= dot * columns[b][i];
                    }
                }
            }
            double norm = Math.sqrt(dot(columns[c], columns[c]));
            for (int i = 0; i < n; i++) {
                columns[c][i] /= norm;
            }
        }
        double[] result = new double[n * n];
        for (int i = 0; i < n * n; i++) {
            result[i] = columns[i % n][i / n];
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

    /** U diag(s) V^T for square U and V. */
    private static double[] product(double[] u, double[] s, double[] v) {
        int n = s.length;
        double[] result = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int k = 0; k < n; k++) {
                    result[i * n + j] += u[i * n + k] * s[k] * v[j * n + k];
                }
            }
        }
        return result;
    }

    private static double[] map(double[] s, java.util.function.DoubleUnaryOperator f) {
        return java.util.Arrays.stream(s).map(f).toArray();
    }

    private static double[] both(double[] a, double[] b) {
        double[] result = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, result, a.length, b.length);
        return result;
    }

    private static final Shape TWO = Shape.of(2, 5, 5);

    /** What decompositions leave where there was nothing, by one of both ways. */
    private static double[] root(
            boolean newton, double p, Ridge ridge, Shape shape, List<String> reports, double... a) {
        try (Device device = Device.open("cpu", new DeviceOptions(1));
                NewtonRoots roots = new NewtonRoots(device)) {
            Tensor matrix = device.allocate(DType.F32, shape), result = device.allocate(DType.F32, shape);
            for (int i = 0; i < a.length; i++) {
                matrix.set(i, a[i]);
            }
            result.fill(-1);
            Decompositions.Job job = newton
                    ? roots.add("the matrix", graph -> graph.read(matrix), shape, p, ridge, result)
                    : Roots.job("the matrix", graph -> graph.read(matrix), p, ridge, result);
            try (Decompositions all = new Decompositions(device, List.of(job))) {
                roots.run();
                all.run();
                reports.addAll(all.reports());
            }
            return result.doubles();
        }
    }

    /** Two matrices at once, one of them a multiple of the identity; with 1e-4 between the largest eigenvalue and the least. */
    @ParameterizedTest
    @CsvSource({"false, 4", "false, 3.5", "false, 2", "true, 1", "true, 2", "true, 4", "true, 6", "true, 8", "true, 3"})
    void inverseRootsAreThoseOfTheEigenvalues(boolean newton, double p) {
        double[] q = orthogonal(5, 1), s = {30, 7, 7, 0.5, 3e-3}, other = {2e-6, 2e-6, 2e-6, 2e-6, 2e-6};
        for (boolean relative : new boolean[] {false, true}) {
            double ridge = relative ? 1e-4 * 30 : 1e-3, little = relative ? 1e-4 * 2e-6 : 1e-3;
            double[] expected = both(
                    product(q, map(s, w -> Math.pow(w + ridge, -1 / p)), q),
                    product(q, map(other, w -> Math.pow(w + little, -1 / p)), q));
            List<String> reports = new ArrayList<>();
            double[] actual = root(
                    newton,
                    p,
                    new Ridge(relative ? 1e-4 : 1e-3, relative),
                    TWO,
                    reports,
                    both(product(q, s, q), product(q, other, q)));
            assertEquals(List.of(), reports);
            for (int i = 0; i < 25; i++) {
                assertEquals(expected[i], actual[i], 1e-4 * Math.pow(3e-3 + ridge, -1 / p), "at " + i);
                assertEquals(expected[25 + i], actual[25 + i], 1e-5 * Math.pow(2e-6 + little, -1 / p), "at " + i);
            }
        }
    }

    /** In double precision eigenvalues leave nothing but rounding. */
    @Test
    void rootsInDoublePrecision() {
        double[] q = orthogonal(5, 4), s = {30, 7, 7, 0.5, 3e-9};
        double[] actual = run(graph -> Map.of(
                        "root",
                        Roots.inverse(
                                        graph.constant(DType.F64, Shape.of(1, 5, 5), product(q, s, q)),
                                        4,
                                        new Ridge(1e-6, false))
                                .root()))
                .get("root");
        assertArrayEquals(product(q, map(s, w -> Math.pow(w + 1e-6, -0.25)), q), actual, 1e-6);
    }

    /** A matrix of zeros has the root of its ridge. */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void zeros(boolean newton) {
        List<String> reports = new ArrayList<>();
        double[] root = root(newton, 4, new Ridge(1e-4, false), Shape.of(1, 2, 2), reports, 0, 0, 0, 0);
        assertArrayEquals(new double[] {10, 0, 0, 10}, root, 1e-4);
        for (double each : root(newton, 2, new Ridge(1e-6, true), Shape.of(1, 3, 3), reports, new double[9])) {
            assertTrue(Double.isFinite(each), "the root of nothing is " + each);
        }
        assertEquals(List.of(), reports);
    }

    /** What is not finite is reported and leaves things as they were; where Newton's iteration diverges, eigenvalues help. */
    @Test
    void badMatrices() {
        for (boolean newton : new boolean[] {false, true}) {
            List<String> reports = new ArrayList<>();
            Ridge ridge = new Ridge(1e-4, false);
            double[] kept = root(newton, 4, ridge, Shape.of(2, 1, 1), reports, 16, Double.NaN);
            assertArrayEquals(new double[] {0.5, -1}, kept, 1e-4);
            assertEquals(4, reports.size());
            reports.clear();
            // No second moment: its negative eigenvalue counts as 0.
            double[] negative = root(newton, 4, ridge, Shape.of(1, 2, 2), reports, 0, 1, 1, 0);
            double small = Math.pow(1e-4, -0.25), one = Math.pow(1.0001, -0.25);
            assertEquals((small + one) / 2, negative[0], 2e-2);
            assertEquals(newton ? 2 : 0, reports.size(), reports.toString());
        }
        assertThrows(KingfisherException.class, () -> new Ridge(0, true));
        KingfisherException e = assertThrows(
                KingfisherException.class,
                () -> root(true, 2.5, new Ridge(1, true), Shape.of(1, 1, 1), new ArrayList<>(), 1));
        assertTrue(e.getMessage().contains("2.5"), e.getMessage());
    }

    /** With five fast iterations singular values from 0.01 to 1 land in [0.68, 1.21]; the value 1 becomes 0.6964. */
    @Test
    void fastPolarFactorsAreInTheirBand() {
        int n = 40;
        double[] u = orthogonal(n, 2), v = orthogonal(n, 3), s = new double[n];
        for (int i = 0; i < n; i++) {
            s[i] = Math.pow(10, -2 * (double) i / (n - 1));
        }
        double norm = Math.sqrt(dot(s, s));
        double[] x = run(graph ->
                        Map.of("x", Polar.fast(5).of(graph.constant(DType.F64, Shape.of(n, n), product(u, s, v)))))
                .get("x");
        for (int k = 0; k < n; k++) {
            double landed = 0;
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    landed += u[i * n + k] * x[i * n + j] * v[j * n + k];
                }
            }
            double expected = s[k] / (norm + 1e-7);
            for (int i = 0; i < 5; i++) {
                double square = expected * expected;
                expected *= 3.4445 + square * (-4.7750 + square * 2.0315);
            }
            assertEquals(expected, landed, 1e-9);
            if (s[k] / norm >= 0.01) {
                assertTrue(landed > 0.68 && landed < 1.21, s[k] + " landed at " + landed);
            }
        }
        double[] one = run(graph -> Map.of("x", Polar.fast(5).of(graph.constant(DType.F64, Shape.of(1, 1), 1))))
                .get("x");
        assertEquals(0.6964, one[0], 1e-4);
    }

    @Test
    void exactPolarFactors() {
        double[] small = run(graph ->
                        Map.of("x", Polar.exact(30).of(graph.constant(DType.F64, Shape.of(2, 2), 1, 2, 3, 4))))
                .get("x");
        assertArrayEquals(new double[] {-0.514496, 0.857493, 0.857493, 0.514496}, small, 1e-6);
        // Tall, wide, in a batch, and of nothing.
        double[] q = orthogonal(4, 5);
        double[] tall = new double[8], wide = new double[8];
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 2; j++) {
                tall[i * 2 + j] = q[i * 4 + j];
                wide[j * 4 + i] = q[i * 4 + j];
            }
        }
        Map<String, double[]> shapes = run(graph -> Map.of(
                "tall", Polar.exact(30).of(graph.constant(DType.F32, Shape.of(1, 4, 2), map(tall, t -> 3 * t))),
                "wide", Polar.exact(30).of(graph.constant(DType.F32, Shape.of(2, 4), map(wide, t -> t / 50))),
                "zero", Polar.fast(5).of(graph.zeros(DType.F32, Shape.of(3, 2)))));
        assertArrayEquals(tall, shapes.get("tall"), 1e-5);
        assertArrayEquals(wide, shapes.get("wide"), 1e-5);
        assertArrayEquals(new double[6], shapes.get("zero"));
        assertThrows(KingfisherException.class, () -> new Polar(1, 0, 0, 5));
        assertThrows(KingfisherException.class, () -> Polar.fast(0));
    }

    @Test
    void permutationsSortAndKeepTies() {
        double[] order = run(graph -> Map.of(
                        "order", OrthogonalIteration.descending(graph.constant(DType.F32, Shape.of(1, 4), 2, 5, 2, 5))))
                .get("order");
        // Columns 1, 3, 0 and 2.
        double[] expected = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0};
        assertArrayEquals(expected, order);
    }

    /** Again and again, it comes to the eigenvectors from any basis, the largest first. */
    @Test
    void orthogonalIterationsConvergeToEigenvectors() {
        double[] q = orthogonal(4, 7), s = {9, 3, 1, 0.2};
        Map<String, double[]> actual = run(graph -> {
            Value a = graph.constant(DType.F64, Shape.of(1, 4, 4), product(q, s, q));
            Value basis = graph.constant(DType.F64, Shape.of(1, 4, 4), orthogonal(4, 8));
            for (int i = 0; i < 25; i++) {
                basis = OrthogonalIteration.step(a, basis).basis();
            }
            OrthogonalIteration.Step last = OrthogonalIteration.step(a, basis);
            return Map.of(
                    "basis",
                    last.basis(),
                    "order",
                    last.order(),
                    "info",
                    last.info().cast(DType.F32));
        });
        assertEquals(0, actual.get("info")[0]);
        assertArrayEquals(new double[] {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, actual.get("order"));
        for (int k = 0; k < 4; k++) {
            double along = 0;
            for (int i = 0; i < 4; i++) {
                along += q[i * 4 + k] * actual.get("basis")[i * 4 + k];
            }
            assertEquals(1, Math.abs(along), 1e-9, "column " + k);
        }
    }
}
