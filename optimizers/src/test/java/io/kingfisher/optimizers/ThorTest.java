package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.kronecker.Thor;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThorTest {
    /** The blocks of one factor of one group, each with its own rule. */
    private static final class Blocks {
        private final int size;
        private final Thor.Config config;
        private final double[][] used;
        private final double[] traces;
        private final boolean[] still;

        Blocks(int n, int size, Thor.Config config) {
            this.size = size;
            this.config = config;
            used = Dense.zeros(n, n);
            traces = new double[(n + size - 1) / size];
            still = new boolean[traces.length];
        }

        void observe(double[][] fresh) {
            for (int b = 0; b < traces.length; b++) {
                int from = b * size, to = Math.min(fresh.length, from + size);
                double trace = 0;
                for (int i = from; i < to; i++) {
                    trace += fresh[i][i];
                }
                double change = Math.abs(trace - traces[b]);
                for (int i = from; i < to && !still[b] && change > config.omega1() * traces[b]; i++) {
                    System.arraycopy(fresh[i], from, used[i], from, to - from);
                }
                still[b] |= change < config.omega2() * traces[b];
                traces[b] = trace;
            }
        }

        double[][] inverse() {
            return Dense.inverse(Dense.plus(used, Math.sqrt(config.damping()), Dense.identity(used.length)));
        }
    }

    private static final class Reference extends ReferencePreconditioner {
        private final Thor.Config config;
        private final int batch;
        private final Map<Parameter, List<Blocks>> blocks = new HashMap<>();

        Reference(Thor.Config config, double rate, double decay, int batch) {
            super(new Settings(rate, decay, config.momentum(), false, Double.POSITIVE_INFINITY));
            this.config = config;
            this.batch = batch;
        }

        @Override
        boolean covers(ReferenceLayer layer) {
            return true;
        }

        @Override
        void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
            if (norm(layer)) {
                return;
            }
            ReferenceMoments fresh = ReferenceMoments.of(uses, samples);
            List<Blocks> known = blocks.computeIfAbsent(layer.weight(), _ -> new ArrayList<>());
            for (int group = 0; group < layer.groups(); group++) {
                if (k == 1) {
                    // The diagonal of an embedding is one block: its elements follow together.
                    known.add(new Blocks(layer.i(), layer.table() ? layer.i() : config.block(), config));
                    known.add(new Blocks(layer.o(), config.block(), config));
                }
                known.get(2 * group).observe(fresh.a().get(group));
                known.get(2 * group + 1).observe(fresh.g().get(group));
            }
        }

        @Override
        double[][] direction(ReferenceLayer layer, int group, double[][] d) {
            if (norm(layer)) {
                double[][] v = Dense.zeros(1, d[0].length);
                for (int i = 0; i < d[0].length; i++) {
                    v[0][i] = d[0][i] / (d[0][i] * d[0][i] / batch + Math.sqrt(config.damping()));
                }
                return v;
            }
            List<Blocks> known = blocks.get(layer.weight());
            return Dense.times(
                    Dense.times(known.get(2 * group + 1).inverse(), d),
                    known.get(2 * group).inverse());
        }
    }

    /** A hundred steps beside the reference: whole factors, blocks with a rest, single numbers; with and without settling. */
    @ParameterizedTest
    @CsvSource({
        "MLP, 1, 5, 0, 0, 100", "MLP, 2, 4, 0.2, 0.05, 100", "CONV, 1, 5, 0.2, 0.02, 100", "CONV, 2, 128, 0, 0, 100",
        "CONV, 3, 1, 0, 0, 20", "TRANSFORMER, 1, 5, 0.1, 0.01, 30", "DEPTHWISE, 1, 4, 0, 0, 30",
                "SHARED, 1, 3, 0, 0, 30",
        "TIED, 1, 3, 0, 0, 30"
    })
    void followsTheReference(TestNet.Kind kind, int seed, int block, double omega1, double omega2, int steps) {
        Thor.Config config = new Thor.Config(0.05, block, 4, omega1, omega2, 0.9);
        double rate = 2e-3, decay = 1e-3;
        int batch = TestNet.BATCH * (kind == TestNet.Kind.SHARED ? 2 : 1);
        try (TestNet net = TestNet.of(kind, seed)) {
            new Reference(config, rate, decay, batch)
                    .follow(net, new Thor(net.device(), net.group(rate, decay), config, new Clipping.None()), steps);
        }
    }

    /** Blocks whose traces have settled stay, though the net goes on. */
    @Test
    void settledBlocksStay() {
        Thor.Config config = new Thor.Config(0.05, 4, 1, 10, 10, 0.9);
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Thor thor = new Thor(net.device(), net.group(1e-3, 0), config, new Clipping.None());
            net.compile(thor, false);
            net.step();
            Tensor used = thor.state().tensors().get("0.weight.A.used");
            double[] first = used.doubles();
            net.step();
            assertArrayEquals(
                    new double[3],
                    thor.state().tensors().get("0.weight.A.moving").doubles());
            net.step();
            assertArrayEquals(first, used.doubles());
            assertEquals(3 * 4 * 4, first.length);
        }
    }

    @Test
    void refusesBadSettings() {
        for (double[] bad : new double[][] {{0, 1, 0, 0}, {1, 0, 0, 0}, {1, 1, 0.1, 0.2}, {1, 1, 0, -1}}) {
            assertThrows(
                    KingfisherException.class, () -> new Thor.Config(bad[0], (int) bad[1], 1, bad[2], bad[3], 0.9));
        }
    }
}
