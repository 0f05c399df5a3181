package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.optimizers.curvature.Polar;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.optimizers.shampoo.DistributedShampoo;
import io.kingfisher.optimizers.shampoo.DistributedShampoo.Graft;
import io.kingfisher.optimizers.shampoo.Jorge;
import io.kingfisher.optimizers.shampoo.Muon;
import io.kingfisher.optimizers.shampoo.Shampoo;
import io.kingfisher.optimizers.shampoo.Soap;
import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the papers of Shampoo, Distributed Shampoo, SOAP, Jorge and Muon say of them, on one weight with given gradients. */
class ShampooTest {
    private static final double[] POLAR = {-0.514496, 0.857493, 0.857493, 0.514496};

    private static Maker shampoo(double epsilon, double decay, double momentum) {
        Shampoo.Config config = new Shampoo.Config(epsilon, decay, momentum, 1, 1, 100, false);
        return new Maker("Shampoo", (device, groups, clipping) -> new Shampoo(device, groups, config, clipping));
    }

    private static Maker distributed(DistributedShampoo.Config config) {
        return new Maker(
                "Distributed Shampoo",
                (device, groups, clipping) -> new DistributedShampoo(device, groups, config, clipping));
    }

    private static DistributedShampoo.Config distributed(
            double beta1, double beta2, int block, Graft graft, Roots.Ridge ridge, long start) {
        return new DistributedShampoo.Config(
                beta1,
                beta2,
                0,
                false,
                block,
                false,
                ridge,
                DistributedShampoo.RootMethod.EIGEN,
                0,
                1,
                1,
                start,
                new DistributedShampoo.Grafting(graft, 0.99, 1e-8),
                true);
    }

    private static Maker soap(double epsilon, int interval) {
        Soap.Config config = new Soap.Config(0.9, 0.95, 0.9, epsilon, interval, 100, false, false);
        return new Maker("SOAP", (device, groups, clipping) -> new Soap(device, groups, config, clipping));
    }

    private static Maker muon(double momentum, Polar polar) {
        Muon.Config config =
                new Muon.Config(momentum, true, polar, Muon.Scale.SPECTRAL, new Adam.Config(0.9, 0.95, 1e-10, true), 1);
        return new Maker("Muon", (device, groups, clipping) -> new Muon(device, groups, config, clipping));
    }

    private static double[] gaussian(Random random, int n) {
        return random.doubles(n, -1, 1).toArray();
    }

    /** D = [[1, 2], [3, 4]] = U S V^T: without damping the first step is U V^T, as is Muon's without momentum. */
    @Test
    void firstStepIsThePolarFactor() {
        for (Maker maker : new Maker[] {
            shampoo(1e-9, 1, 0),
            distributed(distributed(0, 1, 8, Graft.NONE, new Roots.Ridge(1e-9, false), 1)),
            muon(0, Polar.exact(40))
        }) {
            try (GivenGradients net = new GivenGradients(2, 2, 1, 0, maker)) {
                double[] w = net.step(1, 2, 3, 4);
                for (int i = 0; i < 4; i++) {
                    assertEquals(-POLAR[i], w[i], 1e-5, maker + " at " + i);
                }
            }
        }
    }

    /** The fast iteration keeps the singular vectors; singular values are in their band, and tall steps are longer. */
    @Test
    void muonIsNearThePolarFactor() {
        double[] d = {1, 0, 0, 0.02, 0, 0, 0, 0, 0, 0};
        try (GivenGradients net = new GivenGradients(5, 2, 1, 0, muon(0.9, Polar.fast(5)))) {
            double[] w = net.step(d);
            double scale = -Math.sqrt(5.0 / 2);
            assertTrue(w[0] / scale > 0.68 && w[0] / scale < 1.21, "" + w[0]);
            assertTrue(w[3] / scale > 0.68 && w[3] / scale < 1.21, "" + w[3]);
            for (int i : new int[] {1, 2, 4, 5, 6, 7, 8, 9}) {
                assertEquals(0, w[i], 1e-6);
            }
        }
    }

    /** A diagonal gradient becomes its signs. */
    @Test
    void diagonalGradientsBecomeSigns() {
        try (GivenGradients net = new GivenGradients(3, 3, 1, 0, shampoo(1e-10, 1, 0))) {
            assertArrayEquals(
                    new double[] {-1, 0, 0, 0, 1, 0, 0, 0, -1}, net.step(0.5, 0, 0, 0, -3, 0, 0, 0, 0.02), 1e-3);
        }
    }

    /** Rotated gradients give rotated steps. */
    @ParameterizedTest
    @CsvSource({"Shampoo", "Distributed", "SOAP", "Jorge", "Muon"})
    void stepsTurnWithGradients(String method) {
        Maker maker = switch (method) {
            case "Shampoo" -> shampoo(1e-3, 0.9, 0.5);
            case "Distributed" -> distributed(distributed(0.5, 0.9, 8, Graft.SGD, new Roots.Ridge(1e-3, true), 1));
            case "SOAP" -> soap(1e-8, 2);
            case "Jorge" -> jorge(2, true);
            default -> muon(0.9, Polar.fast(5));
        };
        Random random = new Random(3);
        double[][] u = turn(0.7, 1, 3), v = turn(-1.9, 0, 2);
        try (GivenGradients plain = new GivenGradients(4, 4, 0.1, 0, maker);
                GivenGradients turned = new GivenGradients(4, 4, 0.1, 0, maker)) {
            for (int t = 0; t < 7; t++) {
                double[] d = gaussian(random, 16);
                double[] expected = between(u, plain.step(d), v);
                assertArrayEquals(expected, turned.step(between(u, d, v)), 3e-4, "in step " + (t + 1));
            }
            assertTrue(ReferenceModes.norm(plain.weight()) > 0.1);
        }
    }

    private static double[][] turn(double angle, int i, int j) {
        double[][] result = Dense.identity(4);
        result[i][i] = result[j][j] = Math.cos(angle);
        result[i][j] = Math.sin(angle);
        result[j][i] = -Math.sin(angle);
        return result;
    }

    private static double[] between(double[][] u, double[] d, double[][] v) {
        double[][] product = Dense.times(Dense.times(u, Dense.of(d, 0, 4, 4)), v);
        return Arrays.stream(product).flatMapToDouble(Arrays::stream).toArray();
    }

    /** Without grafting, mean or momentum, blocks as large as the weight change nothing; smaller ones do. */
    @Test
    void oneBlockIsShampoo() {
        Random random = new Random(4);
        Roots.Ridge ridge = new Roots.Ridge(1e-3, false);
        try (GivenGradients plain = new GivenGradients(3, 5, 0.1, 0, shampoo(1e-3, 1, 0));
                GivenGradients one =
                        new GivenGradients(3, 5, 0.1, 0, distributed(distributed(0, 1, 5, Graft.NONE, ridge, 1)));
                GivenGradients large =
                        new GivenGradients(3, 5, 0.1, 0, distributed(distributed(0, 1, 50, Graft.NONE, ridge, 1)));
                GivenGradients small =
                        new GivenGradients(3, 5, 0.1, 0, distributed(distributed(0, 1, 2, Graft.NONE, ridge, 1)))) {
            for (int t = 0; t < 5; t++) {
                double[] d = gaussian(random, 15), expected = plain.step(d), blocked = small.step(d);
                assertArrayEquals(expected, one.step(d), 1e-6);
                assertArrayEquals(expected, large.step(d), 1e-6);
                assertTrue(Math.abs(expected[0] - blocked[0]) > 1e-4);
            }
        }
    }

    /** The step of every block has the norm of the grafted method's, in SGD's case the gradient's. */
    @ParameterizedTest
    @EnumSource(names = {"SGD", "ADAGRAD", "RMSPROP", "ADAM"})
    void graftedBlocksHaveTheOtherNorm(Graft graft) {
        Random random = new Random(5);
        double[] squares = new double[15];
        try (GivenGradients net = new GivenGradients(
                3, 5, 1, 0, distributed(distributed(0, 0.9, 2, graft, new Roots.Ridge(1e-4, true), 1)))) {
            double[] before = net.weight();
            for (int t = 1; t <= 6; t++) {
                double[] d = gaussian(random, 15), after = net.step(d), wanted = new double[15];
                for (int i = 0; i < 15; i++) {
                    squares[i] =
                            graft == Graft.ADAGRAD ? squares[i] + d[i] * d[i] : 0.99 * squares[i] + 0.01 * d[i] * d[i];
                    double v = graft == Graft.ADAM ? squares[i] / (1 - Math.pow(0.99, t)) : squares[i];
                    wanted[i] = graft == Graft.SGD ? d[i] : d[i] / (Math.sqrt(v) + 1e-8);
                }
                for (int[] block : new int[][] {{0, 1, 5, 6}, {2, 3, 7, 8}, {4, 9}, {10, 11}, {12, 13}, {14}}) {
                    double norm = 0, other = 0;
                    for (int i : block) {
                        norm += Math.pow(after[i] - before[i], 2);
                        other += Math.pow(wanted[i], 2);
                    }
                    assertEquals(Math.sqrt(other), Math.sqrt(norm), 2e-5 * Math.sqrt(other), "step " + t);
                }
                before = after;
            }
        }
    }

    @Test
    void blocksWithoutGradientStayWhereTheyAre() {
        for (Graft graft : Graft.values()) {
            for (DistributedShampoo.RootMethod method : DistributedShampoo.RootMethod.values()) {
                for (boolean relative : new boolean[] {true, false}) {
                    if (graft != Graft.SGD && (method != DistributedShampoo.RootMethod.EIGEN || !relative)) {
                        continue;
                    }
                    DistributedShampoo.Config config = new DistributedShampoo.Config(
                            0.9,
                            0.9,
                            0.9,
                            true,
                            2,
                            false,
                            new Roots.Ridge(1e-6, relative),
                            method,
                            0,
                            1,
                            2,
                            1,
                            new DistributedShampoo.Grafting(graft, 0.99, 1e-8),
                            true);
                    try (GivenGradients net = new GivenGradients(2, 4, 1, 0, distributed(config))) {
                        for (int t = 0; t < 4; t++) {
                            double[] w = net.step(1, 2, 0, 0, 3 - t, 4, 0, 0);
                            for (int i : new int[] {2, 3, 6, 7}) {
                                assertEquals(0, w[i], graft + " " + method);
                            }
                            assertTrue(Math.abs(w[0]) > 1e-3 && Double.isFinite(w[0]));
                        }
                    }
                }
            }
        }
    }

    /** Until the start the step is the grafted method's own: Adam's. */
    @Test
    void beforeTheStartItIsTheGraftedMethod() {
        Random random = new Random(6);
        Maker adam = new Maker(
                "Adam",
                (device, groups, clipping) ->
                        new Adam(device, groups, new Adam.Config(0.9, 0.99, 1e-8, true), clipping));
        try (GivenGradients net = new GivenGradients(
                        3,
                        5,
                        0.1,
                        0.2,
                        distributed(distributed(0.9, 0.9, 2, Graft.ADAM, new Roots.Ridge(1e-4, true), 4)));
                GivenGradients other = new GivenGradients(3, 5, 0.1, 0.2, adam)) {
            for (int t = 1; t <= 4; t++) {
                double[] d = gaussian(random, 15), expected = other.step(d), actual = net.step(d);
                if (t < 4) {
                    assertArrayEquals(expected, actual, 1e-6);
                } else {
                    assertTrue(Math.abs(expected[0] - actual[0]) > 1e-4);
                }
            }
        }
    }

    /** With bases of unit vectors SOAP is AdamW, one step late. */
    @Test
    void soapInTheUsualBasisIsAdamW() {
        Random random = new Random(7);
        Maker adam = new Maker(
                "AdamW",
                (device, groups, clipping) ->
                        new Adam(device, groups, new Adam.Config(0.9, 0.95, 1e-12, true), clipping));
        try (GivenGradients net = new GivenGradients(3, 5, 0.1, 0.2, soap(1e-12, 1000));
                GivenGradients other = new GivenGradients(3, 5, 0.1, 0.2, adam)) {
            assertArrayEquals(new double[15], net.step(gaussian(random, 15)), "the first step");
            net.optimizer().state().tensors().forEach((name, tensor) -> {
                if (name.endsWith(".vectors")) {
                    long n = tensor.shape().dim(-1);
                    for (long i = 0; i < n * n; i++) {
                        tensor.set(i, i % (n + 1) == 0 ? 1 : 0);
                    }
                }
            });
            for (int t = 0; t < 8; t++) {
                double[] d = gaussian(random, 15);
                assertArrayEquals(other.step(d), net.step(d), 1e-6);
            }
        }
    }

    /** With one direction of gradients the bases stay, and so does what a refresh at every step makes. */
    @Test
    void soapsMomentsFollowTheirBases() {
        double[] d = between(
                turn(0.4, 0, 2), new double[] {3, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1.4, 0, 0, 0, 0, 1}, turn(1, 1, 3));
        try (GivenGradients often = new GivenGradients(4, 4, 0.1, 0, soap(0.1, 1));
                GivenGradients never = new GivenGradients(4, 4, 0.1, 0, soap(0.1, 1000))) {
            for (int t = 0; t < 10; t++) {
                double size = 1 + t % 3;
                double[] scaled = Arrays.stream(d).map(x -> x * size).toArray();
                assertArrayEquals(never.step(scaled), often.step(scaled), 2e-5, "in step " + t);
            }
        }
    }

    private static Maker jorge(int terms, boolean symmetric) {
        Jorge.Config config = new Jorge.Config(0.9, 1e-3, 0, terms, symmetric, 1, 100);
        return new Maker("Jorge", (device, groups, clipping) -> new Jorge(device, groups, config, clipping));
    }

    /** Of a single number the series is 0.90625 with two terms, where 2^(-1/4) is 0.84090, and 0.78906 with three. */
    @ParameterizedTest
    @CsvSource({"2, 0.90625", "3, 0.7890625"})
    void jorgesSeriesForOneNumber(int terms, double series) {
        // Every moment is [[g^2, 0], [0, 0]], so that X / n is 1 at one place.
        try (GivenGradients net = new GivenGradients(2, 2, 1, 0, jorge(terms, true))) {
            double root = Math.pow(1e-3, -0.25), g = 0.3;
            for (int t = 0; t < 3; t++) {
                net.step(g, 0, 0, 0);
                double n = Math.pow(root, 4) * g * g, b = n / (n + 1);
                root *= Math.pow(b, -0.25) * series;
                double actual = net.optimizer()
                        .state()
                        .tensors()
                        .get("0.weight.mode0.root")
                        .get(0);
                assertEquals(root, actual, 2e-5 * root);
            }
        }
    }

    /** The roots follow those of the averages that they stand for, within what the paper's series leaves out. */
    @Test
    void jorgesRootsAreNearTheExactOnes() {
        Random random = new Random(9);
        int n = 4;
        double[][] left = Dense.plus(Dense.zeros(n, n), 1e-3, Dense.identity(n));
        double worst = 0;
        try (GivenGradients net = new GivenGradients(n, 6, 0.01, 0, jorge(2, true))) {
            double[][] root = Dense.plus(Dense.zeros(n, n), Math.pow(1e-3, -0.25), Dense.identity(n));
            for (int t = 0; t < 60; t++) {
                double[] d = gaussian(random, n * 6);
                double[][] moment = ReferenceModes.moment(d, new int[] {n, 6}, 0);
                double[][] squared = Dense.times(root, root);
                double[][] x = Dense.times(Dense.times(squared, moment), squared);
                double size = 0;
                for (double[] row : x) {
                    size += Math.pow(ReferenceModes.norm(row), 2);
                }
                double b = Math.sqrt(size) / (Math.sqrt(size) + 1);
                left = Dense.plus(Dense.plus(Dense.zeros(n, n), b, left), 1 - b, moment);
                net.step(d);
                root = Dense.of(
                        net.optimizer()
                                .state()
                                .tensors()
                                .get("0.weight.mode0.root")
                                .doubles(),
                        0,
                        n,
                        n);
                double[][] exact = ReferenceModes.inverseRoot(left, 4, 1e-12, false);
                double off = 0, whole = 0;
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        assertEquals(root[i][j], root[j][i], 1e-5 * Math.abs(root[i][i]));
                        off += Math.pow(root[i][j] - exact[i][j], 2);
                        whole += exact[i][j] * exact[i][j];
                    }
                }
                worst = Math.max(worst, Math.sqrt(off / whole));
            }
        }
        double error = worst;
        assertTrue(error < 0.1, () -> "off by " + error);
    }

    @Test
    void refuseBadSettings() {
        assertThrows(KingfisherException.class, () -> new Shampoo.Config(1e-4, 0, 0.9, 1, 1, 10, false));
        assertThrows(KingfisherException.class, () -> new Shampoo.Config(1e-4, 1, 1, 1, 1, 10, false));
        assertThrows(KingfisherException.class, () -> new Shampoo.Config(1e-4, 1, 0.9, 1, 0, 10, false));
        assertThrows(KingfisherException.class, () -> new Soap.Config(1, 0.9, 0.9, 1e-8, 10, 10, false, false));
        assertThrows(KingfisherException.class, () -> new Soap.Config(0.9, 0.9, 0.9, 0, 10, 10, false, false));
        assertThrows(KingfisherException.class, () -> new Jorge.Config(0.9, 1e-6, 0, 4, true, 1, 10));
        assertThrows(KingfisherException.class, () -> new Jorge.Config(0.9, 1e-6, 0, 2, true, 0, 10));
        assertThrows(KingfisherException.class, () -> new DistributedShampoo.Grafting(Graft.ADAM, 1, 1e-8));
        assertThrows(
                KingfisherException.class, () -> distributed(0.9, 0.9, 0, Graft.SGD, new Roots.Ridge(1e-6, true), 1));
        assertThrows(
                KingfisherException.class, () -> distributed(0.9, 0.9, 4, Graft.SGD, new Roots.Ridge(1e-6, true), 0));
    }
}
