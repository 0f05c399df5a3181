package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.kronecker.Ekfac;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * EKFAC and TEKFAC in double precision. Eigenvectors of equal eigenvalues are not unique, and S depends on which they are; so they are
 * taken from the optimizer, after checking that they are eigenvectors of the factors here.
 */
final class ReferenceEkfac extends ReferencePreconditioner {
    private final Ekfac.Config config;
    private final OptimizerState state;
    private final boolean restricted;
    private final boolean relative;
    private final Map<Parameter, ReferenceMoments> averages = new HashMap<>();
    private final Map<Parameter, ReferenceMoments> blocks = new HashMap<>();
    /** Ug, Ua and S of each group. */
    private final Map<Parameter, List<double[][][]>> bases = new HashMap<>();

    ReferenceEkfac(Ekfac.Config config, OptimizerState state, double rate, double decay) {
        this(config, state, rate, decay, false, false);
    }

    /**
     * @param restricted whether it is TEKFAC
     * @param relative whether damping is a share of the mean of S
     */
    ReferenceEkfac(
            Ekfac.Config config,
            OptimizerState state,
            double rate,
            double decay,
            boolean restricted,
            boolean relative) {
        super(new Settings(rate, decay, config.momentum(), false, config.clip()));
        this.config = config;
        this.state = state;
        this.restricted = restricted;
        this.relative = relative;
    }

    @Override
    void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
        ReferenceMoments fresh =
                restricted ? ReferenceTkfac.weighted(layer, uses, samples) : ReferenceMoments.of(uses, samples);
        averages.merge(layer.weight(), fresh, (old, now) -> old.mix(now, Math.min(1 - 1.0 / k, config.decay())));
        if (config.estimate() != Ekfac.Estimate.GRADIENT && bases.containsKey(layer.weight())) {
            boolean whole = config.estimate() == Ekfac.Estimate.SAMPLES;
            for (int group = 0; group < layer.groups(); group++) {
                take(layer, group, ReferenceGradients.of(uses, group, whole, samples), 1 / samples);
            }
        }
    }

    @Override
    void see(ReferenceLayer layer, Map<Parameter, double[]> gradients, double samples) {
        if (config.estimate() == Ekfac.Estimate.GRADIENT && bases.containsKey(layer.weight())) {
            for (int group = 0; group < layer.groups(); group++) {
                take(layer, group, List.<double[][]>of(layer.matrix(gradients, group)), samples);
            }
        }
    }

    /** S = alpha S + (1 - alpha) by (sum of squares in the basis). */
    private void take(ReferenceLayer layer, int group, List<double[][]> gradients, double by) {
        double[][][] basis = bases.get(layer.weight()).get(group);
        double[][] s = basis[2], fresh = Dense.zeros(s.length, s[0].length);
        for (double[][] gradient : gradients) {
            double[][] m = into(basis, gradient);
            for (int o = 0; o < s.length; o++) {
                for (int i = 0; i < s[o].length; i++) {
                    fresh[o][i] += by * m[o][i] * m[o][i];
                }
            }
        }
        basis[2] = Dense.plus(Dense.plus(fresh, -config.memory(), fresh), config.memory(), s);
    }

    private static double[][] into(double[][][] basis, double[][] m) {
        return Dense.times(Dense.times(Dense.transposed(basis[0]), m), basis[1]);
    }

    @Override
    void solve(ReferenceLayer layer) {
        ReferenceMoments factors = averages.get(layer.weight());
        if (norm(layer)) {
            blocks.put(layer.weight(), factors);
            return;
        }
        String path = layer.weight().path();
        List<double[][][]> basis = new ArrayList<>();
        for (int group = 0; group < layer.groups(); group++) {
            double[][] g = factors.g().get(group), a = factors.a().get(group);
            double[][] ug = vectors(path + ".G", group, g), ua = vectors(path + ".A", group, a);
            double[][] s = Dense.zeros(g.length, a.length);
            double[] dg = values(ug, g), da = values(ua, a);
            for (int o = 0; o < g.length; o++) {
                for (int i = 0; i < a.length; i++) {
                    s[o][i] = Math.max(0, dg[o]) * Math.max(0, da[i]) / (restricted ? Dense.trace(g) : 1);
                }
            }
            basis.add(new double[][][] {ug, ua, s});
        }
        bases.put(layer.weight(), basis);
    }

    private static double[] values(double[][] u, double[][] m) {
        double[][] rotated = Dense.times(Dense.times(Dense.transposed(u), m), u);
        double[] result = new double[m.length];
        for (int k = 0; k < result.length; k++) {
            result[k] = rotated[k][k];
        }
        return result;
    }

    /** Columns that are orthonormal and diagonalise the matrix; of an embedding's A the identity. */
    private double[][] vectors(String name, int group, double[][] m) {
        int n = m.length;
        if (!state.tensors().containsKey(name + ".vectors")) {
            return Dense.identity(n);
        }
        double[][] u = Dense.of(state.tensors().get(name + ".vectors").doubles(), group * n * n, n, n);
        double[][] one = Dense.times(Dense.transposed(u), u);
        double[][] diagonal = Dense.times(Dense.times(Dense.transposed(u), m), u);
        for (int r = 0; r < n; r++) {
            for (int c = 0; c < n; c++) {
                assertEquals(r == c ? 1 : 0, one[r][c], 1e-5, name);
                assertEquals(r == c ? diagonal[r][r] : 0, diagonal[r][c], 1e-5 * Dense.trace(m), name);
            }
        }
        return u;
    }

    @Override
    double[][] direction(ReferenceLayer layer, int group, double[][] d) {
        if (blocks.containsKey(layer.weight())) {
            double[][] block = blocks.get(layer.weight()).a().get(group);
            return Dense.times(d, Dense.inverse(Dense.plus(block, config.damping(), Dense.identity(block.length))));
        }
        double[][][] basis = bases.get(layer.weight()).get(group);
        double[][] rotated = into(basis, d);
        double mean = 0;
        for (double[] row : basis[2]) {
            for (double value : row) {
                mean += value / row.length / basis[2].length;
            }
        }
        for (int o = 0; o < rotated.length; o++) {
            for (int i = 0; i < rotated[o].length; i++) {
                rotated[o][i] /= basis[2][o][i] + (relative ? mean : 1) * config.damping();
            }
        }
        return Dense.times(Dense.times(basis[0], rotated), Dense.transposed(basis[1]));
    }
}
