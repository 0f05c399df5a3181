package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.kronecker.Eva;
import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaTest {
    /** Eva by the dense inverse of its block. */
    static final class Reference extends ReferencePreconditioner {
        private final Eva.Config config;
        /** For each weight its uses, and for each of these the groups' means. */
        private final Map<Parameter, List<List<ReferenceMeans>>> averages = new HashMap<>();

        Reference(Eva.Config config, double rate, double decay) {
            super(new Settings(rate, decay, config.momentum(), false, config.clip()));
            this.config = config;
        }

        @Override
        boolean covers(ReferenceLayer layer) {
            return !norm(layer);
        }

        @Override
        void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
            List<ReferenceFisher.Use> first = new ArrayList<>(), logits = new ArrayList<>();
            uses.forEach(use -> (layer.table() && use.capture() instanceof Capture.Linear ? logits : first).add(use));
            List<List<ReferenceMeans>> fresh = new ArrayList<>();
            for (List<ReferenceFisher.Use> part : List.of(first, logits)) {
                List<ReferenceMeans> groups = new ArrayList<>();
                for (int group = 0; group < layer.groups() && !part.isEmpty(); group++) {
                    ReferenceMeans means = ReferenceMeans.of(part, group);
                    groups.add(part == logits ? new ReferenceMeans(means.g(), means.a()) : means);
                }
                if (!groups.isEmpty()) {
                    fresh.add(groups);
                }
            }
            double take = k == 1 ? 1 : Math.max(1.0 / k, config.fresh());
            List<List<ReferenceMeans>> old = averages.putIfAbsent(layer.weight(), fresh);
            for (int use = 0; old != null && use < fresh.size(); use++) {
                for (int group = 0; group < layer.groups(); group++) {
                    old.get(use).get(group).mix(fresh.get(use).get(group), take);
                }
            }
        }

        @Override
        double[][] direction(ReferenceLayer layer, int group, double[][] d) {
            int o = layer.o(), n = layer.i();
            double[][] block = Dense.plus(Dense.zeros(o * n, o * n), config.damping(), Dense.identity(o * n));
            for (List<ReferenceMeans> use : averages.get(layer.weight())) {
                double[] a = use.get(group).a(), g = use.get(group).g();
                for (int r = 0; r < o * n; r++) {
                    for (int c = 0; c < o * n; c++) {
                        block[r][c] += g[r / n] * a[r % n] * g[c / n] * a[c % n];
                    }
                }
            }
            return Dense.solve(block, d);
        }
    }

    /** A hundred steps of the nets beside the reference, shortened to a length or to each layer's gradient's. */
    @ParameterizedTest
    @CsvSource({
        "MLP, 1, 1e-3, 100",
        "MLP, 2, 0, 100",
        "CONV, 1, 1e-3, 100",
        "CONV, 2, 0, 30",
        "TRANSFORMER, 1, 1e-3, 30",
        "DEPTHWISE, 1, 1e-3, 100",
        "SHARED, 1, 1e-3, 100",
        "TIED, 1, 1e-3, 100",
        "TIED, 2, 0, 30"
    })
    void followsTheReference(TestNet.Kind kind, int seed, double clip, int steps) {
        Eva.Config config = new Eva.Config(0.03, 0.8, 2, clip, 0.9);
        double rate = 0.02, decay = 1e-3;
        try (TestNet net = TestNet.of(kind, seed)) {
            new Reference(config, rate, decay)
                    .follow(net, new Eva(net.device(), net.group(rate, decay), config, new Clipping.None()), steps);
        }
    }

    private static double[] direction(double damping, double[][] x, double[][] ds) {
        Eva.Config config = new Eva.Config(damping, 0.95, 1, Double.POSITIVE_INFINITY, 0);
        return OneLinear.direction((d, groups) -> new Eva(d, groups, config, new Clipping.None()), x, ds);
    }

    /** Means (1, 2) and (1, -1), damping 0.5 and D = [[1, 2], [3, 4]], solved densely by hand. */
    @Test
    void smallExample() {
        assertArrayEquals(
                new double[] {22 / 7.0, 44 / 7.0, 34 / 7.0, 40 / 7.0},
                direction(0.5, new double[][] {{5, 8}, {-3, -4}}, new double[][] {{1, 1}, {0, -2}}),
                1e-5);
    }

    /** Of a sample that is repeated, the block is the empirical Fisher matrix itself: D / (damping + |a|^2 |g|^2). */
    @Test
    void repeatedSamplesHaveTheirEmpiricalFisherMatrix() {
        double damping = 0.1, by = 1 / (damping + 5 * 2);
        assertArrayEquals(
                new double[] {by, 2 * by, -by, -2 * by},
                direction(damping, new double[][] {{1, 2}, {1, 2}, {1, 2}}, new double[][] {{1, 1, 1}, {-1, -1, -1}}),
                3e-6);
    }

    /** Much damping leaves the gradient. */
    @Test
    void dampingLeavesTheGradient() {
        double[] v = direction(1e6, new double[][] {{5, 8}, {-3, -4}}, new double[][] {{1, 1}, {0, -2}});
        assertArrayEquals(new double[] {1e-6, 2e-6, 3e-6, 4e-6}, v, 1e-10);
    }

    @Test
    void saysWhichLayersHaveNoRule() {
        try (TestNet net = TestNet.of(TestNet.Kind.CONV, 1)) {
            Eva eva = new Eva(net.device(), net.group(0.01, 0), Eva.Config.usual(), new Clipping.None());
            net.compile(eva, false);
            assertTrue(
                    eva.notes().contains("1.weight: the method has no rule for its layer; updated with its gradient"));
        }
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new Eva.Config(0, 0.9, 1, 1, 0.9));
        assertThrows(KingfisherException.class, () -> new Eva.Config(1, 0, 1, 1, 0.9));
        assertThrows(KingfisherException.class, () -> new Eva.Config(1, 0.9, 1, -1, 0.9));
    }
}
