package io.kingfisher.optimizers;

import io.kingfisher.layers.Parameter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** K-FAC in double precision, straight from its definition. */
final class ReferenceKfac {
    private final Kfac.Config config;
    private final double rate;
    private final double decay;
    private final Map<Parameter, ReferenceLayer> layers = new LinkedHashMap<>();
    private final Map<Parameter, ReferenceMoments> averages = new HashMap<>();
    private final Map<Parameter, ReferenceMoments> solved = new HashMap<>();
    private final Map<Parameter, double[]> momentum = new HashMap<>();
    private int refreshes;

    ReferenceKfac(Kfac.Config config, double rate, double decay) {
        this.config = config;
        this.rate = rate;
        this.decay = decay;
    }

    void refresh(Map<Parameter, List<ReferenceFisher.Use>> uses, double samples) {
        refreshes++;
        double keep = Math.min(1 - 1.0 / refreshes, config.decay());
        uses.forEach((weight, seen) -> {
            layers.computeIfAbsent(weight, _ -> ReferenceLayer.of(seen));
            ReferenceMoments fresh = ReferenceMoments.of(seen, samples);
            averages.merge(weight, fresh, (old, now) -> old.mix(now, keep));
        });
    }

    void solve() {
        solved.putAll(averages);
    }

    /** Moves the parameters along their preconditioned gradients. */
    void step(Map<Parameter, double[]> p, Map<Parameter, double[]> gradients) {
        Map<Parameter, double[]> directions = new HashMap<>();
        gradients.forEach((parameter, g) -> {
            double[] d = g.clone();
            for (int i = 0; i < d.length; i++) {
                d[i] += decay * p.get(parameter)[i];
            }
            directions.put(parameter, d);
        });
        double product = 0;
        for (ReferenceLayer layer : layers.values()) {
            ReferenceMoments factors = solved.get(layer.weight());
            for (int group = 0; group < layer.groups(); group++) {
                double[][] d = layer.matrix(directions, group), v = precondition(factors, group, d);
                for (int r = 0; r < layer.o(); r++) {
                    for (int c = 0; c < layer.i(); c++) {
                        product += rate * rate * v[r][c] * d[r][c];
                    }
                }
                layer.scatter(v, group, directions);
            }
        }
        double factor = Math.min(1, Math.sqrt(config.clip() / product));
        p.forEach((parameter, values) -> {
            double[] m = momentum.computeIfAbsent(parameter, _ -> new double[values.length]);
            for (int i = 0; i < values.length; i++) {
                m[i] = config.momentum() * m[i] + factor * directions.get(parameter)[i];
                values[i] -= rate * m[i];
            }
        });
    }

    double[][] precondition(ReferenceMoments factors, int group, double[][] d) {
        double[][] a = factors.a().get(group), eyeA = Dense.identity(a.length);
        if (factors.g().isEmpty()) {
            return Dense.times(d, Dense.inverse(Dense.plus(a, config.damping(), eyeA)));
        }
        double[][] g = factors.g().get(group), eyeG = Dense.identity(g.length);
        if (config.how() == Kfac.Damping.FACTORED) {
            double meanA = Dense.trace(a) / a.length, meanG = Dense.trace(g) / g.length;
            double pi = meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1, gamma = Math.sqrt(config.damping());
            double[][] left = Dense.inverse(Dense.plus(g, gamma / pi, eyeG));
            return Dense.times(Dense.times(left, d), Dense.inverse(Dense.plus(a, gamma * pi, eyeA)));
        }
        int o = g.length, n = a.length;
        double[][] whole = Dense.inverse(Dense.plus(Dense.kron(g, a), config.damping(), Dense.identity(o * n)));
        double[][] vector = Dense.zeros(o * n, 1), result = Dense.zeros(o, n);
        for (int k = 0; k < o * n; k++) {
            vector[k][0] = d[k / n][k % n];
        }
        double[][] solution = Dense.times(whole, vector);
        for (int k = 0; k < o * n; k++) {
            result[k / n][k % n] = solution[k][0];
        }
        return result;
    }
}
