package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.kronecker.Tkfac;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** TKFAC in double precision, straight from its definition. */
final class ReferenceTkfac extends ReferencePreconditioner {
    private final Tkfac.Config config;
    private final Map<Parameter, ReferenceMoments> averages = new HashMap<>();
    private final Map<Parameter, ReferenceMoments> solved = new HashMap<>();

    ReferenceTkfac(Tkfac.Config config, double rate, double decay) {
        super(new Settings(rate, decay, config.momentum(), false, config.clip()));
        this.config = config;
    }

    /** delta Phi and delta Psi of each group, place by place; of a norm layer its blocks. */
    static ReferenceMoments weighted(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples) {
        if (norm(layer)) {
            return ReferenceMoments.of(uses, samples);
        }
        List<double[][]> phis = new ArrayList<>(), psis = new ArrayList<>();
        for (int group = 0; group < layer.groups(); group++) {
            double[][] phi = Dense.zeros(layer.i(), layer.i()), psi = Dense.zeros(layer.o(), layer.o());
            for (ReferenceFisher.Use use : uses) {
                boolean logits = layer.table() && use.capture() instanceof Capture.Linear;
                ReferencePlaces.visit(use, group, (_, input, ds) -> {
                    double[] a = logits ? ds : input, g = logits ? input : ds;
                    double both = samples * samples * square(a) * square(g) / samples;
                    add(phi, a, both / square(a), layer.table());
                    add(psi, g, both / square(g), false);
                });
            }
            phis.add(phi);
            psis.add(psi);
        }
        return new ReferenceMoments(phis, psis);
    }

    private static double square(double[] v) {
        double sum = 1e-300;
        for (double x : v) {
            sum += x * x;
        }
        return sum;
    }

    private static void add(double[][] sum, double[] v, double by, boolean diagonal) {
        for (int r = 0; r < v.length; r++) {
            for (int c = 0; c < v.length; c++) {
                sum[r][c] += diagonal && r != c ? 0 : by * v[r] * v[c];
            }
        }
    }

    @Override
    void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k) {
        ReferenceMoments fresh = weighted(layer, uses, samples);
        averages.merge(layer.weight(), fresh, (old, now) -> old.mix(now, Math.min(1 - 1.0 / k, config.decay())));
    }

    @Override
    void solve(ReferenceLayer layer) {
        solved.put(layer.weight(), averages.get(layer.weight()));
    }

    @Override
    double[][] direction(ReferenceLayer layer, int group, double[][] d) {
        ReferenceMoments factors = solved.get(layer.weight());
        double[][] phi = factors.a().get(group), eyePhi = Dense.identity(phi.length);
        if (norm(layer)) {
            return Dense.times(d, Dense.inverse(Dense.plus(phi, config.damping(), eyePhi)));
        }
        double[][] psi = factors.g().get(group), eyePsi = Dense.identity(psi.length);
        double root = Math.sqrt(Dense.trace(psi)), share = Math.sqrt(config.damping());
        boolean relative = config.how() == Tkfac.Damping.RELATIVE;
        double left = relative ? share * root / psi.length : share,
                right = relative ? share * root / phi.length : share;
        double[][] p = Dense.plus(Dense.zeros(phi.length, phi.length), 1 / root, phi);
        double[][] q = Dense.plus(Dense.zeros(psi.length, psi.length), 1 / root, psi);
        return Dense.times(
                Dense.times(Dense.inverse(Dense.plus(q, left, eyePsi)), d),
                Dense.inverse(Dense.plus(p, right, eyePhi)));
    }
}
