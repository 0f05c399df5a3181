package io.kingfisher.optimizers;

import io.kingfisher.optimizers.shampoo.DistributedShampoo;
import io.kingfisher.optimizers.shampoo.DistributedShampoo.Graft;
import io.kingfisher.optimizers.shampoo.Jorge;
import io.kingfisher.optimizers.shampoo.Muon;
import io.kingfisher.optimizers.shampoo.Shampoo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Shampoo, its distributed recipe, Jorge and Muon in double precision, a parameter and a block at a time. */
final class ReferenceShampoo {
    /** Updates p in place from its gradient in step t = 1, 2, ... */
    interface Rule {
        void step(String path, long[] shape, double[] p, double[] g, int t);
    }

    private ReferenceShampoo() {}

    private static double[] buffer(Map<String, double[]> map, String name, int n) {
        return map.computeIfAbsent(name, _ -> new double[n]);
    }

    private static boolean due(int t, int interval) {
        return (t - 1) % interval == 0;
    }

    /** The second moments of one block and their roots. */
    private static final class Block {
        private final int[] dims;
        private final List<double[][]> moments = new ArrayList<>();
        private final List<double[][]> roots = new ArrayList<>();
        private int taken;

        Block(int[] dims) {
            this.dims = dims;
            for (int d : dims) {
                moments.add(Dense.zeros(d, d));
                roots.add(null);
            }
        }

        void observe(double[] g, double decay) {
            taken++;
            double take = decay == 1 ? 1 : (1 - decay) / (1 - Math.pow(decay, taken)), keep = decay == 1 ? 1 : 1 - take;
            for (int mode = 0; mode < dims.length; mode++) {
                double[][] fresh = ReferenceModes.moment(g, dims, mode), old = moments.get(mode);
                for (int i = 0; i < fresh.length; i++) {
                    for (int j = 0; j < fresh.length; j++) {
                        fresh[i][j] = keep * old[i][j] + take * fresh[i][j];
                    }
                }
                moments.set(mode, fresh);
            }
        }

        /** @param largest modes that are longer keep their diagonal only, and its root is always at hand */
        void solve(double epsilon, boolean relative, int largest, boolean due) {
            for (int mode = 0; mode < dims.length; mode++) {
                double[][] moment = moments.get(mode);
                if (dims[mode] > largest) {
                    double[][] diagonal = Dense.zeros(dims[mode], dims[mode]);
                    for (int i = 0; i < dims[mode]; i++) {
                        diagonal[i][i] = moment[i][i];
                    }
                    roots.set(mode, ReferenceModes.inverseRoot(diagonal, 2 * dims.length, epsilon, relative));
                } else if (due) {
                    roots.set(mode, ReferenceModes.inverseRoot(moment, 2 * dims.length, epsilon, relative));
                }
            }
        }

        double[] apply(double[] g) {
            double[] result = g;
            for (int mode = 0; mode < dims.length; mode++) {
                result = ReferenceModes.times(roots.get(mode), result, dims, mode);
            }
            return result;
        }
    }

    static Rule shampoo(Shampoo.Config config, double lr, double decay) {
        Map<String, Block> blocks = new HashMap<>();
        Map<String, double[]> momenta = new HashMap<>();
        return (path, shape, p, g, t) -> {
            long[] seen = config.matrices() && shape.length > 1 ? new long[] {shape[0], p.length / shape[0]} : shape;
            Block block = blocks.computeIfAbsent(path, _ -> new Block(ReferenceModes.squeezed(seen)));
            double[] d = new double[p.length], m = buffer(momenta, path, p.length);
            for (int i = 0; i < p.length; i++) {
                d[i] = g[i] + decay * p[i];
            }
            if (due(t, config.statistics()) || due(t, config.roots())) {
                block.observe(d, config.decay());
            }
            block.solve(config.epsilon(), false, Math.toIntExact(config.maxDimension()), due(t, config.roots()));
            d = block.apply(d);
            for (int i = 0; i < p.length; i++) {
                m[i] = config.momentum() * m[i] + d[i];
                p[i] -= lr * m[i];
            }
        };
    }

    /** Axes joined while they are no longer than a block together. */
    private static int[] merged(long[] shape, long block) {
        List<Integer> axes = new ArrayList<>();
        for (int d : ReferenceModes.squeezed(shape)) {
            if (!axes.isEmpty() && axes.get(axes.size() - 1) * d <= block) {
                axes.add(axes.remove(axes.size() - 1) * d);
            } else {
                axes.add(d);
            }
        }
        return axes.stream().mapToInt(i -> i).toArray();
    }

    /** For each block its extents, and the places of its elements in the whole. */
    private static Map<List<Integer>, List<Integer>> places(int[] dims, int block) {
        Map<List<Integer>, List<Integer>> result = new java.util.LinkedHashMap<>();
        int n = Arrays.stream(dims).reduce(1, (a, b) -> a * b);
        for (int i = 0; i < n; i++) {
            List<Integer> at = new ArrayList<>();
            int rest = i;
            for (int axis = dims.length - 1; axis >= 0; axis--) {
                at.add(0, rest % dims[axis] / block);
                rest /= dims[axis];
            }
            result.computeIfAbsent(at, _ -> new ArrayList<>()).add(i);
        }
        return result;
    }

    static Rule distributed(DistributedShampoo.Config config, double lr, double decay) {
        Map<String, Block> blocks = new HashMap<>();
        Map<String, double[]> state = new HashMap<>();
        int size = Math.toIntExact(config.block());
        Graft graft = config.grafting().graft();
        double b1 = config.beta1(), gb = config.grafting().beta2();
        return (path, shape, p, g, t) -> {
            int[] dims = config.merge() ? merged(shape, size) : ReferenceModes.squeezed(shape);
            int n = p.length;
            double[] d = new double[n], mean = new double[n], grafted = new double[n], step = new double[n];
            double[] m = buffer(state, path + ".m", n),
                    v = buffer(state, path + ".v", n),
                    b = buffer(state, path + ".b", n);
            for (int i = 0; i < n; i++) {
                d[i] = g[i] + (config.decoupled() ? 0 : decay * p[i]);
                m[i] = b1 * m[i] + (1 - b1) * d[i];
                mean[i] = m[i] / (1 - Math.pow(b1, t));
                v[i] = graft == Graft.ADAGRAD ? v[i] + d[i] * d[i] : gb * v[i] + (1 - gb) * d[i] * d[i];
                double square = graft == Graft.ADAM ? v[i] / (1 - Math.pow(gb, t)) : v[i];
                grafted[i] = graft == Graft.SGD || graft == Graft.NONE
                        ? mean[i]
                        : mean[i] / (Math.sqrt(square) + config.grafting().epsilon());
            }
            places(dims, size).forEach((at, places) -> {
                int[] extents = new int[dims.length];
                for (int axis = 0; axis < dims.length; axis++) {
                    extents[axis] = Math.min(size, dims[axis] - at.get(axis) * size);
                }
                Block block = blocks.computeIfAbsent(path + at, _ -> new Block(extents));
                double[] own = places.stream().mapToDouble(i -> d[i]).toArray();
                double[] other = places.stream().mapToDouble(i -> grafted[i]).toArray();
                if (due(t, config.statistics()) || due(t, config.roots())) {
                    block.observe(own, config.beta2());
                }
                block.solve(
                        config.ridge().epsilon(), config.ridge().relative(), Integer.MAX_VALUE, due(t, config.roots()));
                double[] direction =
                        block.apply(places.stream().mapToDouble(i -> mean[i]).toArray());
                double norm = ReferenceModes.norm(direction);
                double scale = graft == Graft.NONE ? 1 : norm == 0 ? 0 : ReferenceModes.norm(other) / norm;
                for (int i = 0; i < direction.length; i++) {
                    step[places.get(i)] = t < config.start() ? other[i] : scale * direction[i];
                }
            });
            for (int i = 0; i < n; i++) {
                double s = step[i] + (config.decoupled() ? decay * p[i] : 0);
                b[i] = config.momentum() * b[i] + s;
                p[i] -= lr * (config.momentum() == 0 ? s : config.nesterov() ? s + config.momentum() * b[i] : b[i]);
            }
        };
    }

    static Rule jorge(Jorge.Config config, double lr, double decay) {
        Map<String, List<double[][]>> roots = new HashMap<>();
        Map<String, double[]> state = new HashMap<>();
        return (path, shape, p, g, t) -> {
            int n = p.length;
            int[] dims = ReferenceModes.squeezed(shape.length > 1 ? new long[] {shape[0], n / shape[0]} : shape);
            double[] s = buffer(state, path + ".s", n), m = buffer(state, path + ".m", n);
            double mu = config.momentum();
            double[] direction = g;
            if (dims.length == 2) {
                List<double[][]> own = roots.computeIfAbsent(path, _ -> {
                    List<double[][]> all = new ArrayList<>();
                    for (int d : dims) {
                        all.add(Dense.plus(Dense.zeros(d, d), Math.pow(config.epsilon(), -0.25), Dense.identity(d)));
                    }
                    return all;
                });
                for (int mode = 0; mode < 2; mode++) {
                    if (dims[mode] <= config.maxDimension()) {
                        if (due(t, config.interval())) {
                            own.set(mode, next(config, own.get(mode), ReferenceModes.moment(g, dims, mode)));
                        }
                        double[][] root = own.get(mode);
                        direction = ReferenceModes.times(
                                mode == 0 ? root : ReferenceModes.transposed(root), direction, dims, mode);
                    }
                }
            }
            for (int i = 0; i < n; i++) {
                s[i] = mu * s[i] + g[i];
                m[i] = mu * m[i] + (1 - mu) * direction[i];
            }
            double norm = ReferenceModes.norm(m), scale = norm == 0 ? 0 : ReferenceModes.norm(s) / norm;
            for (int i = 0; i < n; i++) {
                p[i] -= lr * ((dims.length == 2 ? scale * m[i] : s[i]) + decay * p[i]);
            }
        };
    }

    private static double[][] next(Jorge.Config config, double[][] root, double[][] plain) {
        int d = root.length;
        double[][] moment = Dense.plus(plain, config.floor() * Dense.trace(plain) / d, Dense.identity(d));
        double[][] squared = Dense.times(root, root);
        double[][] x = config.symmetric()
                ? Dense.times(Dense.times(squared, moment), squared)
                : Dense.times(Dense.times(squared, squared), moment);
        double size = Math.sqrt(Arrays.stream(x)
                .mapToDouble(row -> Math.pow(ReferenceModes.norm(row), 2))
                .sum());
        if (size == 0) {
            return root;
        }
        double[][] ratio = Dense.plus(Dense.zeros(d, d), 1 / size, x), square = Dense.times(ratio, ratio);
        double[][] series = Dense.plus(Dense.plus(Dense.identity(d), -0.25, ratio), 5.0 / 32, square);
        if (config.terms() == 3) {
            series = Dense.plus(series, -15.0 / 128, Dense.times(square, ratio));
        }
        double scale = Math.pow(size / (size + 1), -0.25);
        double[][] result = Dense.plus(Dense.zeros(d, d), scale, Dense.times(root, series));
        return config.symmetric()
                ? Dense.plus(Dense.plus(Dense.zeros(d, d), 0.5, result), 0.5, ReferenceModes.transposed(result))
                : result;
    }

    /** @param hidden the weights whose steps are made orthogonal */
    static Rule muon(Muon.Config config, double lr, double decay, Set<String> hidden) {
        Map<String, double[]> state = new HashMap<>();
        Adam.Config adam = config.adam();
        ReferenceOptimizer others = ReferenceOptimizer.adam(
                lr * config.adamRate(), adam.beta1(), adam.beta2(), adam.epsilon(), decay, true);
        return (path, shape, p, g, t) -> {
            if (!hidden.contains(path)) {
                others.update(path, p, g, null, t);
                return;
            }
            int n = p.length, rows = Math.toIntExact(shape[0]), columns = n / rows;
            double mu = config.momentum();
            double[] b = buffer(state, path, n), input = new double[n];
            for (int i = 0; i < n; i++) {
                b[i] = mu * b[i] + (1 - mu) * g[i];
                input[i] = config.nesterov() ? mu * b[i] + (1 - mu) * g[i] : b[i];
            }
            double norm = ReferenceModes.norm(input) + 1e-7;
            double[][] x = Dense.plus(Dense.zeros(rows, columns), 1 / norm, Dense.of(input, 0, rows, columns));
            for (int i = 0; i < config.polar().iterations(); i++) {
                double[][] gram = Dense.times(x, ReferenceModes.transposed(x));
                double[][] cubed = Dense.times(gram, x), fifth = Dense.times(gram, cubed);
                x = Dense.plus(
                        Dense.plus(
                                Dense.plus(
                                        Dense.zeros(rows, columns),
                                        config.polar().a(),
                                        x),
                                config.polar().b(),
                                cubed),
                        config.polar().c(),
                        fifth);
            }
            double scale = config.scale() == Muon.Scale.SPECTRAL
                    ? Math.sqrt(Math.max(1, (double) rows / columns))
                    : 0.2 * Math.sqrt(Math.max(rows, columns));
            for (int i = 0; i < n; i++) {
                p[i] = p[i] * (1 - lr * decay) - lr * scale * x[i / columns][i % columns];
            }
        };
    }
}
