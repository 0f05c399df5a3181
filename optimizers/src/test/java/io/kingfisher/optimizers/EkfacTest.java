package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Ekfac;
import io.kingfisher.optimizers.kronecker.Ekfac.Estimate;
import io.kingfisher.optimizers.kronecker.Tekfac;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EkfacTest {
    private static Ekfac.Config config(Estimate estimate, double memory, int statistics, int bases) {
        return new Ekfac.Config(0.05, estimate, memory, 0.9, new LabelSource.Empirical(), statistics, bases, 1e-3, 0.9);
    }

    private static Ekfac ekfac(TestNet net, Ekfac.Config config) {
        return new Ekfac(net.device(), net.group(0.02, 1e-3), config, new Clipping.None());
    }

    private static Tekfac tekfac(TestNet net, Ekfac.Config config, boolean relative) {
        return new Tekfac(net.device(), net.group(0.02, 1e-3), config, relative, new Clipping.None());
    }

    /** The same in the basis of TKFAC. */
    @ParameterizedTest
    @CsvSource({
        "MLP, SAMPLES, 1, false",
        "MLP, GRADIENT, 2, true",
        "CONV, SAMPLES, 2, true",
        "CONV, PLACES, 1, false",
        "TRANSFORMER, PLACES, 2, true",
        "TIED, SAMPLES, 1, false"
    })
    void followsTheReferenceWithRestrictedTraces(TestNet.Kind kind, Estimate estimate, int seed, boolean relative) {
        Ekfac.Config config = config(estimate, 0.75, 2, 6);
        try (TestNet net = TestNet.of(kind, seed)) {
            Ekfac tekfac = tekfac(net, config, relative);
            new ReferenceEkfac(config, tekfac.state(), 0.02, 1e-3, true, relative)
                    .follow(net, tekfac, kind == TestNet.Kind.MLP || kind == TestNet.Kind.CONV ? 100 : 24);
        }
    }

    /** Every net beside the reference. */
    @ParameterizedTest
    @CsvSource({
        "MLP, SAMPLES, 1",
        "MLP, GRADIENT, 2",
        "CONV, SAMPLES, 1",
        "CONV, PLACES, 2",
        "CONV, GRADIENT, 1",
        "TRANSFORMER, SAMPLES, 2",
        "TRANSFORMER, PLACES, 1",
        "DEPTHWISE, SAMPLES, 2",
        "SHARED, SAMPLES, 1",
        "TIED, SAMPLES, 1",
        "TIED, GRADIENT, 2"
    })
    void followsTheReference(TestNet.Kind kind, Estimate estimate, int seed) {
        Ekfac.Config config = config(estimate, 0.75, 2, 6);
        try (TestNet net = TestNet.of(kind, seed)) {
            Ekfac ekfac = ekfac(net, config);
            new ReferenceEkfac(config, ekfac.state(), 0.02, 1e-3)
                    .follow(net, ekfac, kind == TestNet.Kind.MLP || kind == TestNet.Kind.CONV ? 100 : 24);
        }
    }

    /** Until its first moments S is dg da^T. */
    @Test
    void beginsAsKfac() {
        try (TestNet one = TestNet.of(TestNet.Kind.CONV, 1);
                TestNet other = TestNet.of(TestNet.Kind.CONV, 1)) {
            one.compile(ekfac(one, config(Estimate.SAMPLES, 0.75, 3, 6)), false);
            Kfac.Config same =
                    new Kfac.Config(0.05, Kfac.Damping.EXACT, 0.9, new LabelSource.Empirical(), 3, 6, 1e-3, 0.9);
            other.compile(new Kfac(other.device(), other.group(0.02, 1e-3), same, new Clipping.None()), false);
            for (int t = 1; t <= 4; t++) {
                one.step();
                other.step();
                boolean equal = t < 4;
                List<Parameter> others = other.model().parameters();
                for (int k = 0; k < others.size(); k++) {
                    double[] want = others.get(k).tensor().doubles(),
                            got = one.model().parameters().get(k).tensor().doubles();
                    if (equal) {
                        assertArrayEquals(want, got, 1e-6);
                    } else if (k == 0) {
                        assertTrue(Math.abs(want[0] - got[0]) > 1e-7, "moments that change nothing");
                    }
                }
            }
        }
    }

    /** In its own basis S is the best diagonal: it has the trace of F, and no other comes closer. */
    @ParameterizedTest
    @CsvSource({"MLP, false", "MLP, true", "CONV, false", "DEPTHWISE, true"})
    void noDiagonalIsCloser(TestNet.Kind kind, boolean restricted) {
        try (TestNet net = TestNet.of(kind, 3)) {
            Ekfac.Config config = config(Estimate.SAMPLES, 0, 1, 1000);
            net.compile(restricted ? tekfac(net, config, false) : ekfac(net, config), true);
            net.step();
            Map<String, double[]> before = net.everything();
            net.step();
            net.uses().forEach((weight, uses) -> {
                if (weight.shape().rank() < 2) {
                    return;
                }
                ReferenceLayer layer = ReferenceLayer.of(uses);
                for (int group = 0; group < layer.groups(); group++) {
                    int o = layer.o(), i = layer.i();
                    double[][] ug = Dense.of(before.get(name(weight, "G.vectors")), group * o * o, o, o);
                    double[][] ua = Dense.of(before.get(name(weight, "A.vectors")), group * i * i, i, i);
                    double[] s = net.everything().get(name(weight, "S"));
                    double[] dg = before.get(name(weight, "G.values")), da = before.get(name(weight, "A.values"));
                    double[][] f = fisher(ReferenceGradients.of(uses, group, true, net.samples()), net.samples());
                    double[][] u = Dense.kron(ug, ua), turned = Dense.times(Dense.times(Dense.transposed(u), f), u);
                    double trace = 0, corrected = 0, plain = 0;
                    for (int k = 0; k < o * i; k++) {
                        double own = s[group * o * i + k], product = dg[group * o + k / i] * da[group * i + k % i];
                        trace += own;
                        corrected += Math.pow(turned[k][k] - own, 2);
                        plain += Math.pow(turned[k][k] - product, 2);
                    }
                    assertEquals(Dense.trace(f), trace, 1e-5 * trace, weight.path());
                    assertTrue(corrected < 1e-9 * plain, weight.path() + ": " + corrected + " and " + plain);
                }
            });
        }
    }

    private static String name(Parameter weight, String what) {
        return "optimizer." + weight.path() + "." + what;
    }

    /** The mean of the outer products of gradients, row by row. */
    private static double[][] fisher(List<double[][]> gradients, double samples) {
        int o = gradients.get(0).length, i = gradients.get(0)[0].length;
        double[][] f = Dense.zeros(o * i, o * i);
        for (double[][] m : gradients) {
            for (int r = 0; r < o * i; r++) {
                for (int c = 0; c < o * i; c++) {
                    f[r][c] += m[r / i][r % i] * m[c / i][c % i] / samples;
                }
            }
        }
        return f;
    }

    /** A batch in several parts of unequal size gives the second moments of the batch in one. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CONV")
    void partsEqualTheWhole(TestNet.Kind kind) {
        for (Estimate estimate : Estimate.values()) {
            Map<String, double[]> whole = moments(kind, estimate, 1), parts = moments(kind, estimate, 4);
            whole.forEach((name, expected) -> {
                double size = 1e-12;
                for (double value : expected) {
                    size = Math.max(size, Math.abs(value));
                }
                assertArrayEquals(expected, parts.get(name), 2e-5 * size, estimate + " " + name);
            });
        }
    }

    /** What a refresh makes of S in a basis that is given. */
    private static Map<String, double[]> moments(TestNet.Kind kind, Estimate estimate, int parts) {
        try (TestNet net = TestNet.of(kind, 2, TestNet.BATCH, parts)) {
            Ekfac ekfac = ekfac(net, config(estimate, 0.5, 1, 1000));
            net.compile(ekfac, false);
            Random random = new Random(5);
            ekfac.state().tensors().forEach((name, tensor) -> {
                if (name.endsWith(".vectors")) {
                    rotate(tensor, random);
                }
            });
            // Later than the first step, which would take a basis of its own.
            ekfac.resume(1);
            net.step();
            Map<String, double[]> all = net.everything();
            all.keySet().removeIf(name -> !name.endsWith(".S"));
            assertEquals(
                    ekfac.state().tensors().keySet().stream()
                            .filter(name -> name.endsWith(".G.values"))
                            .count(),
                    all.size());
            return all;
        }
    }

    /** Reflections I - 2 v v^T / v^T v, which are orthogonal. */
    private static void rotate(Tensor vectors, Random random) {
        int n = (int) vectors.shape().dim(2);
        for (int group = 0; group < vectors.shape().dim(0); group++) {
            double[] v = random.doubles(n, -1, 1).toArray();
            double square = 0;
            for (double x : v) {
                square += x * x;
            }
            for (int r = 0; r < n; r++) {
                for (int c = 0; c < n; c++) {
                    vectors.set((group * n + r) * n + c, (r == c ? 1 : 0) - 2 * v[r] * v[c] / square);
                }
            }
        }
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> config(Estimate.SAMPLES, 0.75, 5, 5));
        assertThrows(KingfisherException.class, () -> config(Estimate.PLACES, 0.75, 5, 3));
        config(Estimate.GRADIENT, 0.75, 5, 5);
        assertThrows(
                KingfisherException.class,
                () -> new Ekfac.Config(0, Estimate.GRADIENT, 0.75, 0.9, new LabelSource.Empirical(), 1, 1, 1, 0.9));
    }
}
