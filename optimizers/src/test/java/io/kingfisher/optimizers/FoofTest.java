package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Foof;
import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FoofTest {
    /** FOOF from its definition: the sums of outer products of inputs, place by place. */
    private static final class Reference extends ReferencePreconditioner {
        /** The moments of the inputs of lookups or of any other layer, and of what makes the logits of a table. */
        private record Sides(List<double[][]> a, double[][] b) {}

        private final Foof.Config config;
        private final Map<Parameter, Sides> averages = new HashMap<>();
        private final Map<Parameter, Sides> solved = new HashMap<>();

        Reference(Foof.Config config, double rate, double decay) {
            super(new Settings(rate, decay, config.momentum(), true, Double.POSITIVE_INFINITY));
            this.config = config;
        }

        @Override
        boolean covers(ReferenceLayer layer) {
            return true;
        }

        private static double[][] moment(List<ReferenceFisher.Use> uses, int group, int n) {
            double[][] sum = Dense.zeros(n, n);
            int[] places = {0};
            uses.forEach(use -> ReferencePlaces.visit(use, group, (_, a, _) -> {
                places[0]++;
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        sum[i][j] += a[i] * a[j];
                    }
                }
            }));
            return Dense.plus(Dense.zeros(n, n), 1.0 / places[0], sum);
        }

        @Override
        void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
            List<ReferenceFisher.Use> first = new ArrayList<>(), logits = new ArrayList<>();
            uses.forEach(use -> (layer.table() && use.capture() instanceof Capture.Linear ? logits : first).add(use));
            List<double[][]> fresh = new ArrayList<>();
            for (int group = 0; group < layer.groups(); group++) {
                fresh.add(moment(first, group, layer.i()));
            }
            Sides now = new Sides(fresh, logits.isEmpty() ? null : moment(logits, 0, layer.o()));
            double take = (1 - config.decay()) / (1 - Math.pow(config.decay(), k));
            averages.merge(layer.weight(), now, (old, next) -> {
                List<double[][]> mixed = new ArrayList<>();
                for (int group = 0; group < layer.groups(); group++) {
                    mixed.add(mix(old.a().get(group), next.a().get(group), take));
                }
                return new Sides(mixed, next.b() == null ? null : mix(old.b(), next.b(), take));
            });
        }

        private static double[][] mix(double[][] old, double[][] now, double take) {
            double[][] zero = Dense.zeros(old.length, old.length);
            return Dense.plus(Dense.plus(zero, 1 - take, old), take, now);
        }

        @Override
        void solve(ReferenceLayer layer) {
            solved.put(layer.weight(), averages.get(layer.weight()));
        }

        @Override
        double[][] direction(ReferenceLayer layer, int group, double[][] v) {
            Sides sides = solved.get(layer.weight());
            double[][] a = sides.a().get(group);
            double[][] damped = Dense.plus(a, config.damping(), Dense.identity(a.length));
            if (sides.b() == null) {
                return Dense.times(v, Dense.inverse(damped));
            }
            // B V' + V' (A + damping I) = V as one system for all elements.
            int o = layer.o(), n = layer.i();
            double[][] system =
                    Dense.plus(Dense.kron(sides.b(), Dense.identity(n)), 1, Dense.kron(Dense.identity(o), damped));
            return Dense.solve(system, v);
        }
    }

    /** A hundred steps of every net beside the reference. */
    @ParameterizedTest
    @CsvSource({"MLP, 1", "MLP, 2", "CONV, 1", "CONV, 2", "TRANSFORMER, 1", "DEPTHWISE, 1", "SHARED, 1", "TIED, 1"})
    void followsTheReference(TestNet.Kind kind, int seed) {
        Foof.Config config = new Foof.Config(0.1, 0.9, 3, 6, 0.9);
        double rate = 5e-3, decay = 1e-3;
        try (TestNet net = TestNet.of(kind, seed)) {
            new Reference(config, rate, decay)
                    .follow(net, new Foof(net.device(), net.group(rate, decay), config, new Clipping.None()), 100);
        }
    }

    /** D (A + I)^-1 for A = [[2, 1], [1, 2]] and D = [[1, 2], [3, 4]], worked out by hand. */
    @Test
    void smallExample() {
        Foof.Config config = new Foof.Config(1, 0.95, 1, 1, 0);
        double[][] x = {{Math.sqrt(3), Math.sqrt(3)}, {1, -1}};
        // D = (1/2) sum of targets' gradients times inputs: chosen so that it is [[1, 2], [3, 4]].
        double[][] y = Dense.times(new double[][] {{2, 4}, {6, 8}}, Dense.inverse(x));
        assertArrayEquals(
                new double[] {0.125, 0.625, 0.625, 1.125},
                OneLinear.direction((d, groups) -> new Foof(d, groups, config, new Clipping.None()), x, y),
                2e-6);
    }

    /** With squared errors G is a multiple of the identity, so that K-FAC is FOOF. */
    @Test
    void isKfacWhereOutputsCountAlike() {
        double c = OneLinear.OUTPUT_HESSIAN, lambda = 0.05, never = Double.POSITIVE_INFINITY;
        Kfac.Config kfac = new Kfac.Config(lambda, Kfac.Damping.EXACT, 0, new LabelSource.Exact(), 1, 1, never, 0);
        Foof.Config foof = new Foof.Config(lambda / c, 0, 1, 1, 0);
        double[][] expected = OneLinear.leastSquares((d, g) -> new Kfac(d, g, kfac, new Clipping.None()), 0.3, 5);
        double[][] actual = OneLinear.leastSquares((d, g) -> new Foof(d, g, foof, new Clipping.None()), 0.3 / c, 5);
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], actual[i], 1e-5);
        }
    }

    @Test
    void oneStepSolvesLeastSquares() {
        Foof.Config config = new Foof.Config(1e-9, 0.95, 1, 1, 0);
        double[][] result = OneLinear.leastSquares(
                (d, groups) -> new Foof(d, groups, config, new Clipping.None()), 1 / OneLinear.OUTPUT_HESSIAN, 2);
        assertArrayEquals(new double[12], result[1], 1e-6);
        assertArrayEquals(new double[3], result[3], 1e-6);
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new Foof.Config(0, 0.9, 1, 1, 0.9));
        assertThrows(KingfisherException.class, () -> new Foof.Config(1, 0.9, 1, 0, 0.9));
        assertThrows(KingfisherException.class, () -> make(new Foof.Config(1, 1, 1, 1, 0.9)));
        assertThrows(KingfisherException.class, () -> make(new Foof.Config(1, 0.9, 0, 1, 0.9)));
        assertThrows(KingfisherException.class, () -> make(new Foof.Config(1, 0.9, 1, 1, 1)));
    }

    private static void make(Foof.Config config) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            net.compile(new Foof(net.device(), net.group(1, 0), config, new Clipping.None()), false);
        }
    }
}
