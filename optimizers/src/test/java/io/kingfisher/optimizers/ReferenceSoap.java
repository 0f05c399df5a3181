package io.kingfisher.optimizers;

import io.kingfisher.optimizers.shampoo.Soap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** SOAP in double precision. The first bases, which are not unique, are said to it; it checks them. */
final class ReferenceSoap implements ReferenceShampoo.Rule {
    private static final class State {
        private int[] dims;
        private double[] m;
        private double[] v;
        private final List<double[][]> moments = new ArrayList<>();
        private final List<double[][]> bases = new ArrayList<>();
    }

    private final Soap.Config config;
    private final double lr;
    private final double decay;
    private final Function<String, double[]> firstBases;
    private final Map<String, State> states = new HashMap<>();

    ReferenceSoap(Soap.Config config, double lr, double decay, Function<String, double[]> firstBases) {
        this.config = config;
        this.lr = lr;
        this.decay = decay;
        this.firstBases = firstBases;
    }

    @Override
    public void step(String path, long[] shape, double[] p, double[] g, int t) {
        State s = states.computeIfAbsent(path, _ -> begin(shape, p.length));
        if (t == 1) {
            observe(s, g);
            for (int mode = 0; mode < s.dims.length; mode++) {
                if (s.moments.get(mode) != null) {
                    s.bases.set(
                            mode, checked(s.moments.get(mode), firstBases.apply(path + ".mode" + mode + ".vectors")));
                }
            }
            return;
        }
        if ((t - 1) % config.interval() == 0) {
            refresh(s);
        }
        double[] rotated = turned(s, g, true), scaled = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            s.m[i] = config.beta1() * s.m[i] + (1 - config.beta1()) * rotated[i];
            s.v[i] = config.beta2() * s.v[i] + (1 - config.beta2()) * rotated[i] * rotated[i];
            scaled[i] = s.m[i] / (Math.sqrt(s.v[i]) + config.epsilon());
        }
        double size = lr * Math.sqrt(1 - Math.pow(config.beta2(), t - 1)) / (1 - Math.pow(config.beta1(), t - 1));
        double[] direction = turned(s, scaled, false);
        double rms = config.normalize() && IntStream.range(0, s.dims.length).anyMatch(i -> s.bases.get(i) != null)
                ? ReferenceModes.norm(direction) / Math.sqrt(p.length)
                : 1;
        for (int i = 0; i < p.length; i++) {
            p[i] = p[i] * (1 - lr * decay) - size * direction[i] / rms;
        }
        observe(s, g);
    }

    private State begin(long[] shape, int n) {
        State s = new State();
        s.dims = ReferenceModes.squeezed(shape);
        s.m = new double[n];
        s.v = new double[n];
        for (int d : s.dims) {
            boolean seen = d <= config.maxDimension() && (s.dims.length > 1 || config.vectors());
            s.moments.add(seen ? Dense.zeros(d, d) : null);
            s.bases.add(null);
        }
        return s;
    }

    private void observe(State s, double[] g) {
        double beta = config.shampooBeta();
        for (int mode = 0; mode < s.dims.length; mode++) {
            double[][] moment = s.moments.get(mode);
            if (moment != null) {
                double[][] kept = Dense.plus(Dense.zeros(moment.length, moment.length), beta, moment);
                s.moments.set(mode, Dense.plus(kept, 1 - beta, ReferenceModes.moment(g, s.dims, mode)));
            }
        }
    }

    private static double[] turned(State s, double[] x, boolean into) {
        double[] result = x;
        for (int mode = 0; mode < s.dims.length; mode++) {
            double[][] basis = s.bases.get(mode);
            if (basis != null) {
                result = ReferenceModes.times(into ? ReferenceModes.transposed(basis) : basis, result, s.dims, mode);
            }
        }
        return result;
    }

    /** A basis that is orthonormal and makes the matrix diagonal. */
    private static double[][] checked(double[][] moment, double[] values) {
        int n = moment.length;
        double[][] q = Dense.of(values, 0, n, n), eye = Dense.times(ReferenceModes.transposed(q), q);
        double[][] diagonal = Dense.times(Dense.times(ReferenceModes.transposed(q), moment), q);
        double size = Dense.trace(moment);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                if (!(Math.abs(eye[i][j] - (i == j ? 1 : 0)) < 1e-5)
                        || !(i == j || Math.abs(diagonal[i][j]) < 1e-5 * size)) {
                    throw new AssertionError("no basis of eigenvectors");
                }
            }
        }
        return q;
    }

    private static void refresh(State s) {
        for (int mode = 0; mode < s.dims.length; mode++) {
            double[][] moment = s.moments.get(mode), q = s.bases.get(mode);
            if (moment == null) {
                continue;
            }
            int n = moment.length;
            double[][] moved = Dense.times(moment, q), along = Dense.times(ReferenceModes.transposed(q), moved);
            List<Integer> order = IntStream.range(0, n)
                    .boxed()
                    .sorted((i, j) -> Double.compare(along[j][j], along[i][i]))
                    .toList();
            double[][] permutation = Dense.zeros(n, n);
            for (int k = 0; k < n; k++) {
                permutation[order.get(k)][k] = 1;
            }
            double[][] next = orthonormal(Dense.times(moved, permutation));
            s.m = ReferenceModes.times(Dense.times(ReferenceModes.transposed(next), q), s.m, s.dims, mode);
            s.v = ReferenceModes.times(ReferenceModes.transposed(permutation), s.v, s.dims, mode);
            s.bases.set(mode, next);
        }
    }

    /** Gram and Schmidt's, twice. */
    private static double[][] orthonormal(double[][] a) {
        double[][] columns = ReferenceModes.transposed(a);
        for (int c = 0; c < columns.length; c++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int b = 0; b < c; b++) {
                    double dot = 0;
                    for (int i = 0; i < columns.length; i++) {
                        dot += columns[b][i] * columns[c][i];
                    }
                    for (int i = 0; i < columns.length; i++) {
                        columns[c][i] -= dot * columns[b][i];
                    }
                }
                double norm = ReferenceModes.norm(columns[c]);
                for (int i = 0; i < columns.length; i++) {
                    columns[c][i] /= norm;
                }
            }
        }
        return ReferenceModes.transposed(columns);
    }
}
