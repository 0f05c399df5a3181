package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.kingfisher.layers.Parameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Methods that precondition the gradients of layers, in double precision: what a method adds are its statistics and a rule. */
abstract class ReferencePreconditioner {
    /**
     * What is the same for all.
     *
     * @param first whether momentum is on gradients and not on directions
     * @param clip infinite for none; 0 for the gradient's norm, layer by layer
     */
    record Settings(double rate, double decay, double momentum, boolean first, double clip) {}

    private final Settings settings;
    private final Map<Parameter, ReferenceLayer> layers = new LinkedHashMap<>();
    private final Map<Parameter, double[]> momentum = new HashMap<>();
    private int refreshes;

    ReferencePreconditioner(Settings settings) {
        this.settings = settings;
    }

    /** Takes in the uses of a layer in the k-th refresh, 1 for the first. */
    abstract void observe(ReferenceLayer layer, List<ReferenceFisher.Use> uses, double samples, int k);

    /** Looks at the gradients of all parameters in every step. */
    void see(ReferenceLayer layer, Map<Parameter, double[]> gradients, double samples) {}

    /** Makes what directions are made of from the statistics so far. */
    void solve(ReferenceLayer layer) {}

    boolean covers(ReferenceLayer layer) {
        return true;
    }

    abstract double[][] direction(ReferenceLayer layer, int group, double[][] d);

    /** Whether layers are norm layers, which have no outputs in the sense of a matrix. */
    static boolean norm(List<ReferenceFisher.Use> uses) {
        return uses.get(0).capture().weight().shape().rank() == 1;
    }

    static boolean norm(ReferenceLayer layer) {
        return layer.weight().shape().rank() == 1;
    }

    /** Steps a net beside this and compares all parameters after each. */
    void follow(TestNet net, Optimizer optimizer, int steps) {
        net.compile(optimizer, true);
        Map<Parameter, double[]> p = net.parameters(), start = net.parameters();
        for (int t = 1; t <= steps; t++) {
            Optimizer.Cadence cadence = net.step();
            Map<Parameter, double[]> gradients = new HashMap<>();
            p.keySet().forEach(parameter -> gradients.put(parameter, net.gradient(parameter)));
            layers.values().stream().filter(this::covers).forEach(layer -> see(layer, gradients, net.samples()));
            if (cadence != Optimizer.Cadence.STEP) {
                refreshes++;
                net.uses().forEach((weight, uses) -> {
                    ReferenceLayer layer = layers.computeIfAbsent(weight, _ -> ReferenceLayer.of(uses));
                    if (covers(layer)) {
                        observe(layer, uses, net.samples(), refreshes);
                    }
                });
            }
            if (cadence == Optimizer.Cadence.SOLVE) {
                layers.values().stream().filter(this::covers).forEach(this::solve);
            }
            step(p, gradients);
            SideBySide.compare(p, t);
        }
        assertEquals(List.of(), optimizer.reports());
        start.forEach((parameter, values) ->
                assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
    }

    private void step(Map<Parameter, double[]> p, Map<Parameter, double[]> gradients) {
        Map<Parameter, double[]> ds = new HashMap<>();
        gradients.forEach((parameter, g) -> {
            double[] d = g.clone();
            for (int i = 0; i < d.length; i++) {
                d[i] += settings.decay() * p.get(parameter)[i];
            }
            ds.put(parameter, settings.first() ? heavy(parameter, d) : d);
        });
        Map<Parameter, double[]> found = new HashMap<>(), free = new HashMap<>(ds);
        double product = 0;
        for (ReferenceLayer layer : layers.values()) {
            if (covers(layer)) {
                found.put(layer.weight(), new double[ds.get(layer.weight()).length]);
                layer.bias().ifPresent(bias -> found.put(bias, new double[ds.get(bias).length]));
                double vd = 0, vv = 0, dd = 0;
                for (int group = 0; group < layer.groups(); group++) {
                    double[][] d = layer.matrix(ds, group), v = direction(layer, group, d);
                    for (int r = 0; r < layer.o(); r++) {
                        for (int c = 0; c < layer.i(); c++) {
                            vd += v[r][c] * d[r][c];
                            vv += v[r][c] * v[r][c];
                            dd += d[r][c] * d[r][c];
                        }
                    }
                    layer.scatter(v, group, found);
                }
                if (settings.clip() == 0) {
                    double by = Math.sqrt(dd / vv);
                    scale(found.get(layer.weight()), by);
                    layer.bias().ifPresent(bias -> scale(found.get(bias), by));
                }
                product += settings.rate() * settings.rate() * vd;
            }
        }
        double factor = settings.clip() == 0 ? 1 : Math.min(1, Math.sqrt(settings.clip() / product));
        found.values().forEach(v -> scale(v, factor));
        free.putAll(found);
        p.forEach((parameter, values) -> {
            double[] step = settings.first() ? free.get(parameter) : heavy(parameter, free.get(parameter));
            for (int i = 0; i < values.length; i++) {
                values[i] -= settings.rate() * step[i];
            }
        });
    }

    private static void scale(double[] values, double by) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= by;
        }
    }

    private double[] heavy(Parameter parameter, double[] d) {
        double[] m = momentum.computeIfAbsent(parameter, _ -> new double[d.length]);
        for (int i = 0; i < d.length; i++) {
            m[i] = settings.momentum() * m[i] + d[i];
        }
        return m.clone();
    }
}
