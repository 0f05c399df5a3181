package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Skfac;
import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SkfacTest {
    /** The dense factors of the last batch, a convolution's images reduced, and K-FAC's inverse of them. */
    private static final class Reference extends ReferencePreconditioner {
        private final ReferenceKfac kfac;
        private final Map<Parameter, ReferenceMoments> last = new HashMap<>();
        private final Map<Parameter, ReferenceMoments> solved = new HashMap<>();

        Reference(Skfac.Config config, double rate, double decay) {
            super(new Settings(rate, decay, config.momentum(), false, config.clip()));
            kfac = new ReferenceKfac(dense(config), rate, decay);
        }

        @Override
        boolean covers(ReferenceLayer layer) {
            return true;
        }

        @Override
        void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
            boolean images = uses.get(0).capture() instanceof Capture.Conv2d;
            last.put(layer.weight(), images ? reduced(layer, uses, samples) : ReferenceMoments.of(uses, samples));
        }

        private static ReferenceMoments reduced(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples) {
            List<double[][]> as = new ArrayList<>(), gs = new ArrayList<>();
            for (int group = 0; group < layer.groups(); group++) {
                double[][] a = Dense.zeros(layer.i(), layer.i()), g = Dense.zeros(layer.o(), layer.o());
                for (ReferenceFisher.Use use : uses) {
                    Map<Integer, ReferenceMeans> sums = new HashMap<>();
                    int[] places = {0};
                    ReferencePlaces.visit(use, group, (sample, in, ds) -> {
                        ReferenceMeans sum = sums.computeIfAbsent(
                                sample, _ -> new ReferenceMeans(new double[in.length], new double[ds.length]));
                        for (int i = 0; i < in.length; i++) {
                            sum.a()[i] += in[i];
                        }
                        for (int i = 0; i < ds.length; i++) {
                            sum.g()[i] += samples * ds[i];
                        }
                        places[0]++;
                    });
                    double each = (double) places[0] / sums.size(), images = sums.size() * (double) uses.size();
                    sums.values().forEach(sum -> {
                        outer(a, sum.a(), 1 / (each * each * images));
                        outer(g, sum.g(), 1 / samples);
                    });
                }
                as.add(a);
                gs.add(g);
            }
            return new ReferenceMoments(as, gs);
        }

        private static void outer(double[][] sum, double[] v, double by) {
            for (int i = 0; i < v.length; i++) {
                for (int j = 0; j < v.length; j++) {
                    sum[i][j] += by * v[i] * v[j];
                }
            }
        }

        @Override
        void solve(ReferenceLayer layer) {
            solved.put(layer.weight(), last.get(layer.weight()));
        }

        @Override
        double[][] direction(ReferenceLayer layer, int group, double[][] d) {
            return kfac.precondition(solved.get(layer.weight()), group, d);
        }
    }

    /** K-FAC whose factors are those of the last batch. */
    private static Kfac.Config dense(Skfac.Config config) {
        return new Kfac.Config(
                config.damping(),
                Kfac.Damping.FACTORED,
                0,
                new LabelSource.Empirical(),
                config.interval(),
                config.interval(),
                config.clip(),
                config.momentum());
    }

    /** A hundred steps of the nets beside the reference: fewer samples than inputs in some layers, more in others. */
    @ParameterizedTest
    @CsvSource({
        "MLP, 1, 100",
        "MLP, 2, 100",
        "CONV, 1, 100",
        "CONV, 2, 100",
        "TRANSFORMER, 1, 30",
        "DEPTHWISE, 1, 30",
        "SHARED, 1, 30",
        "TIED, 1, 30"
    })
    void followsTheReference(TestNet.Kind kind, int seed, int steps) {
        Skfac.Config config = new Skfac.Config(0.05, 4, 1e-3, 0.9);
        double rate = 0.02, decay = 1e-3;
        try (TestNet net = TestNet.of(kind, seed)) {
            new Reference(config, rate, decay)
                    .follow(net, new Skfac(net.device(), net.group(rate, decay), config, new Clipping.None()), steps);
        }
    }

    /** Without convolutions it is K-FAC of the last batch, whichever of the two systems is smaller. */
    @ParameterizedTest
    @CsvSource({"MLP, 3", "MLP, 40", "SHARED, 4", "TRANSFORMER, 1"})
    void isKfacOfTheLastBatch(TestNet.Kind kind, int batch) {
        Skfac.Config config = new Skfac.Config(0.05, 3, 1e-3, 0.9);
        try (TestNet one = TestNet.of(kind, 1, batch, 1);
                TestNet other = TestNet.of(kind, 1, batch, 1)) {
            one.compile(new Skfac(one.device(), one.group(0.02, 0), config, new Clipping.None()), false);
            other.compile(new Kfac(other.device(), other.group(0.02, 0), dense(config), new Clipping.None()), false);
            for (int t = 1; t <= 10; t++) {
                one.step();
                other.step();
            }
            List<Parameter> parameters = one.model().parameters();
            Map<Parameter, double[]> expected = new HashMap<>();
            for (int i = 0; i < parameters.size(); i++) {
                expected.put(
                        parameters.get(i),
                        other.model().parameters().get(i).tensor().doubles());
            }
            SideBySide.compare(expected, 10);
        }
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new Skfac.Config(0, 1, 1, 0.9));
    }
}
