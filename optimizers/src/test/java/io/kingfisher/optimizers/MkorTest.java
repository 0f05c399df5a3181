package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.kronecker.Mkor;
import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MkorTest {
    private static final double NEVER = Double.POSITIVE_INFINITY;

    /** MKOR by dense inverses of the averages of rank-one matrices. */
    private static final class Reference extends ReferencePreconditioner {
        private final Mkor.Config config;
        /** For each weight the inverses of all groups, first those of the inputs. */
        private final Map<Parameter, List<double[][]>> inverses = new HashMap<>();

        Reference(Mkor.Config config, double rate, double decay) {
            super(new Settings(rate, decay, config.momentum(), false, 0));
            this.config = config;
        }

        @Override
        boolean covers(ReferenceLayer layer) {
            return !norm(layer) && !layer.table();
        }

        @Override
        void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
            List<double[][]> known = inverses.computeIfAbsent(layer.weight(), _ -> new ArrayList<>());
            for (int group = 0; group < layer.groups(); group++) {
                if (k == 1) {
                    known.add(Dense.identity(layer.i()));
                    known.add(Dense.identity(layer.o()));
                }
                ReferenceMeans means = ReferenceMeans.of(uses, group);
                known.set(2 * group, follow(known.get(2 * group), means.a()));
                known.set(2 * group + 1, follow(known.get(2 * group + 1), means.g()));
            }
        }

        private double[][] follow(double[][] inverse, double[] v) {
            int n = v.length;
            double[][] factor = Dense.plus(Dense.zeros(n, n), config.gamma(), Dense.inverse(inverse));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    factor[i][j] += (1 - config.gamma()) * v[i] * v[j];
                }
            }
            double[][] next = Dense.inverse(factor);
            double largest = Arrays.stream(next)
                    .flatMapToDouble(Arrays::stream)
                    .map(Math::abs)
                    .max()
                    .orElseThrow();
            return largest > config.threshold()
                    ? Dense.plus(
                            Dense.plus(Dense.zeros(n, n), config.zeta(), next), 1 - config.zeta(), Dense.identity(n))
                    : next;
        }

        @Override
        double[][] direction(ReferenceLayer layer, int group, double[][] d) {
            List<double[][]> known = inverses.get(layer.weight());
            return Dense.times(Dense.times(known.get(2 * group + 1), d), known.get(2 * group));
        }
    }

    /** A hundred steps beside the reference; with and without the mixture that bounds the inverses. */
    @ParameterizedTest
    @CsvSource({"MLP, 1, 2", "MLP, 2, 100", "CONV, 1, 2", "CONV, 2, 100", "SHARED, 1, 2", "DEPTHWISE, 1, 2"})
    void followsTheReference(TestNet.Kind kind, int seed, double threshold) {
        Mkor.Config config = new Mkor.Config(0.9, 4, threshold, 0.9, 0.9);
        double rate = 0.02, decay = 1e-3;
        try (TestNet net = TestNet.of(kind, seed)) {
            new Reference(config, rate, decay)
                    .follow(net, new Mkor(net.device(), net.group(rate, decay), config, new Clipping.None()), 100);
        }
    }

    /** The kept inverses are those of K-FAC factors that are averages of rank-one matrices and of the identity. */
    @Test
    void inversesAreThoseOfTheAverages() {
        Mkor.Config config = new Mkor.Config(0.9, 1, NEVER, 1, 0.9);
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
            Mkor mkor = new Mkor(net.device(), net.group(0.01, 0), config, new Clipping.None());
            net.compile(mkor, true);
            double[][] factor = Dense.identity(12);
            for (int t = 0; t < 15; t++) {
                net.step();
                double[] v = ReferenceMeans.of(
                                net.uses().get(net.model().parameters().get(0)), 0)
                        .a();
                for (int i = 0; i < 12; i++) {
                    for (int j = 0; j < 12; j++) {
                        factor[i][j] = 0.9 * factor[i][j] + 0.1 * v[i] * v[j];
                    }
                }
                double[] inverse =
                        mkor.state().tensors().get("0.weight.A.inverse").doubles();
                double[][] product = Dense.times(factor, Dense.of(inverse, 0, 12, 12));
                for (int i = 0; i < 12; i++) {
                    assertArrayEquals(Dense.identity(12)[i], product[i], 1e-5);
                }
            }
        }
    }

    /** From the identity the first inverse is (I - r v v^T / (1 + r |v|^2)) / gamma, r = (1 - gamma) / gamma. */
    @Test
    void firstStepByHand() {
        Mkor.Config config = new Mkor.Config(0.5, 1, NEVER, 1, 0);
        // v = (1, 2) and (1, -1), so that R^-1 = 2 (I - v v^T / 6) and L^-1 = 2 (I - v v^T / 3).
        double[] d = OneLinear.direction(
                (device, groups) -> new Mkor(device, groups, config, new Clipping.None()),
                new double[][] {{5, 8}, {-3, -4}},
                new double[][] {{1, 1}, {0, -2}});
        double[][] left = {{2 / 3.0, 1 / 3.0}, {1 / 3.0, 2 / 3.0}}, right = {{5 / 6.0, -1 / 3.0}, {-1 / 3.0, 1 / 3.0}};
        double[][] v = Dense.times(Dense.times(left, new double[][] {{1, 2}, {3, 4}}), right);
        double length = Math.sqrt(30
                / Arrays.stream(v)
                        .flatMapToDouble(Arrays::stream)
                        .map(x -> x * x)
                        .sum());
        assertArrayEquals(
                new double[] {length * v[0][0], length * v[0][1], length * v[1][0], length * v[1][1]}, d, 1e-5);
    }

    /** A batch that is not finite leaves the inverses as they were, and is reported. */
    @Test
    void badBatchesAreLeftOut() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Mkor mkor = new Mkor(
                    net.device(), net.group(1e-3, 0), new Mkor.Config(0.9, 1, 2, 0.9, 0.9), new Clipping.None());
            net.compile(mkor, false);
            net.step();
            double[] before = mkor.state().tensors().get("0.weight.G.inverse").doubles();
            net.model().parameters().get(0).tensor().set(0, Double.NaN);
            net.step();
            assertArrayEquals(
                    before, mkor.state().tensors().get("0.weight.G.inverse").doubles());
            assertTrue(mkor.reports().contains("0.weight.g: 1 estimates were not finite and were left out"));
        }
    }

    @Test
    void refusesBadSettings() {
        for (double[] bad : new double[][] {{0, 2, 0.9}, {1, 2, 0.9}, {0.9, 0, 0.9}, {0.9, 2, 1.1}}) {
            assertThrows(KingfisherException.class, () -> new Mkor.Config(bad[0], 1, bad[1], bad[2], 0.9));
        }
        assertEquals(2, Mkor.Config.usual().threshold());
    }
}
