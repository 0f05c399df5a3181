package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/** AdaFisher's Fisher diagonals in double precision, element by element from the definitions: patches are really taken. */
final class ReferenceFisher {
    private final AdaFisherConfig config;
    private final Map<String, double[]> averages = new HashMap<>();
    private final Map<String, double[]> fishers = new HashMap<>();

    ReferenceFisher(AdaFisherConfig config) {
        this.config = config;
    }

    /** The F of every element of a parameter, or the constant where its layer has no rule. */
    double[] of(Parameter parameter) {
        double[] known = fishers.get(parameter.path());
        if (known != null) {
            return known;
        }
        double[] constant = new double[(int) parameter.shape().elements()];
        Arrays.fill(constant, config.mode() == Mode.RELATIVE ? 1 : config.lambda());
        return constant;
    }

    /** What one application of a layer saw: a and ds in row-major order, ds that of the mean over {@code count} terms. */
    record Use(Capture capture, double[] a, double[] ds) {}

    /** Takes in all uses of one weight. */
    void refresh(List<Use> seen, double count) {
        double perTerm = config.mode() == Mode.RELEASED ? 1 : count;
        List<Use> uses = seen.stream()
                .filter(use -> config.mode() != Mode.RELEASED || !(use.capture() instanceof Capture.Embedding))
                .map(use -> new Use(
                        use.capture(),
                        use.a(),
                        Arrays.stream(use.ds()).map(x -> x * perTerm).toArray()))
                .toList();
        if (uses.isEmpty()) {
            return;
        }
        switch (uses.get(0).capture()) {
            case Capture.Linear _, Capture.Embedding _ -> matrix(uses);
            case Capture.Conv2d _ -> convolution(uses);
            case Capture.BatchNorm2d _, Capture.LayerNorm _ -> norm(uses);
        }
    }

    /** Rows of linear uses together; a table that is also looked up by way of the whole diagonal's sums. */
    private void matrix(List<Use> uses) {
        Capture c = uses.get(0).capture();
        int out = (int) c.weight().shape().dim(0), in = (int) c.weight().shape().dim(1);
        double[] a = concat(uses, true, true), g = concat(uses, true, false);
        double[] words = concat(uses, false, true), dw = concat(uses, false, false);
        double[] counts = new double[out];
        for (double word : words) {
            counts[(int) word] += 1.0 / words.length;
        }
        boolean bias = uses.stream().anyMatch(use -> use.capture().bias().isPresent());
        double[] h = meanSquares(a, a.length / in, in), s = meanSquares(g, g.length / out, out);
        if (bias) {
            h = append(h, 1);
        }
        if (a.length == 0) {
            h = meanSquares(dw, words.length, in);
            s = counts;
        } else if (words.length > 0) {
            double[] d = meanSquares(dw, words.length, in), rows = new double[out], columns = new double[in];
            double total = 0;
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    double f = h[i] * s[o] + d[i] * counts[o];
                    rows[o] += f;
                    columns[i] += f;
                    total += f;
                }
            }
            h = columns;
            double all = total;
            s = Arrays.stream(rows).map(x -> x / all).toArray();
        }
        Use linear = uses.stream()
                .filter(use -> use.capture() instanceof Capture.Linear)
                .findFirst()
                .orElse(uses.get(0));
        matrix(linear.capture(), h, s, in, out);
    }

    private static double[] concat(List<Use> uses, boolean linear, boolean inputs) {
        return uses.stream()
                .filter(use -> use.capture() instanceof Capture.Linear == linear)
                .flatMapToDouble(use -> Arrays.stream(inputs ? use.a() : use.ds()))
                .toArray();
    }

    private void norm(List<Use> uses) {
        Capture c = uses.get(0).capture();
        int width = (int) c.weight().shape().elements();
        double[] u = new double
                [uses.stream()
                        .mapToInt(use -> kept(use.capture().a().shape()))
                        .max()
                        .orElseThrow()];
        double[] sum = new double[width], scale = new double[width], shift = new double[width];
        double batch = 0;
        for (Use use : uses) {
            Shape s = use.capture().a().shape();
            int n = s.rank() == 1 ? 1 : (int) s.dim(0),
                    places = (int) (s.elements() / n / width),
                    size = s.rank() > 2 ? (int) (s.elements() / n / kept(s)) : 1;
            boolean first = use.capture() instanceof Capture.BatchNorm2d;
            double[] normal = use.capture() instanceof Capture.BatchNorm2d b
                    ? normalizedByChannel(use.a(), n, width, places, b.epsilon())
                    : normalizedByRow(use.a(), width, 1e-5);
            for (int i = 0; i < use.a().length; i++) {
                u[i / size % kept(s)] += use.a()[i] / ((double) size * size);
                sum[first ? i / places % width : i % width] += use.ds()[i];
            }
            exactNorm(scale, shift, normal, use.ds(), n, places, first);
            batch += n;
        }
        if (config.mode() == Mode.RELEASED) {
            releasedNorm(c, u, sum, batch);
        } else {
            double n = batch;
            finish(
                    c,
                    averaged(
                            c.weight().path() + "F",
                            Arrays.stream(scale).map(x -> x / n).toArray()),
                    averaged(
                            c.bias().orElseThrow().path() + "F",
                            Arrays.stream(shift).map(x -> x / n).toArray()),
                    false);
        }
    }

    /** The extent of the second axis. */
    private static int kept(Shape s) {
        return (int) (s.rank() == 1 ? s.dim(0) : s.dim(1));
    }

    private void matrix(Capture c, double[] h, double[] s, int in, int out) {
        double[] hh = averaged(c.weight().path() + "H", h),
                ss = averaged(c.weight().path() + "S", s);
        double[] f = new double[in * out];
        for (int j = 0; j < out; j++) {
            for (int i = 0; i < in; i++) {
                f[j * in + i] = hh[i] * ss[j];
            }
        }
        double[] bias = h.length > in ? Arrays.stream(ss).map(x -> x * hh[in]).toArray() : null;
        finish(c, f, bias, true);
    }

    private void convolution(List<Use> uses) {
        Capture.Conv2d c = (Capture.Conv2d) uses.get(0).capture();
        Shape w = c.weight().shape();
        int groups = c.window().groups(), patch = (int) (w.elements() / w.dim(0)), out = (int) w.dim(0);
        double[][] h = new double[groups][patch];
        double[] s = new double[out];
        double rows = 0;
        for (Use use : uses) {
            rows += patches((Capture.Conv2d) use.capture(), use.a(), use.ds(), h, s);
        }
        double n = rows;
        s = Arrays.stream(s).map(v -> v / n).toArray();
        h = Arrays.stream(h)
                .map(g -> Arrays.stream(g).map(v -> v / n).toArray())
                .toArray(double[][]::new);
        boolean released = config.mode() == Mode.RELEASED;
        double[] flat;
        if (released) {
            flat = new double[patch];
            for (double[] one : h) {
                for (int i = 0; i < patch; i++) {
                    flat[i] += one[i] / groups;
                }
            }
        } else {
            flat = Arrays.stream(h).flatMapToDouble(Arrays::stream).toArray();
        }
        int own = released ? 1 : groups;
        double[] raw = c.bias().isPresent() ? append(flat, 1) : flat;
        if (released) {
            raw = Arrays.stream(raw).map(v -> v / patch).toArray();
        }
        double[] hh = averaged(c.weight().path() + "H", raw),
                ss = averaged(c.weight().path() + "S", s);
        double[] f = new double[out * patch];
        for (int o = 0; o < out; o++) {
            int group = own == 1 ? 0 : o / (out / groups);
            for (int i = 0; i < patch; i++) {
                f[o * patch + i] = hh[group * patch + i] * ss[o];
            }
        }
        double one = hh[hh.length - 1];
        finish(c, f, c.bias().isPresent() ? Arrays.stream(ss).map(v -> v * one).toArray() : null, true);
    }

    /** Adds the squares of every patch and of every output's gradient, and gives their number. */
    private static double patches(Capture.Conv2d c, double[] a, double[] g, double[][] h, double[] s) {
        Shape x = c.a().shape(), w = c.weight().shape(), y = c.s().shape();
        int n = (int) x.dim(0), channels = (int) x.dim(1), each = (int) w.dim(1), out = (int) w.dim(0);
        int kh = (int) w.dim(2), kw = (int) w.dim(3);
        for (int b = 0; b < n; b++) {
            for (int oy = 0; oy < y.dim(2); oy++) {
                for (int ox = 0; ox < y.dim(3); ox++) {
                    for (int ch = 0; ch < channels; ch++) {
                        for (int k = 0; k < kh * kw; k++) {
                            int iy = oy * c.window().strideH()
                                    - c.window().paddingH()
                                    + k / kw * c.window().dilationH();
                            int ix = ox * c.window().strideW()
                                    - c.window().paddingW()
                                    + k % kw * c.window().dilationW();
                            if (iy >= 0 && ix >= 0 && iy < x.dim(2) && ix < x.dim(3)) {
                                double v = a[(int) (((b * channels + ch) * x.dim(2) + iy) * x.dim(3) + ix)];
                                h[ch / each][ch % each * kh * kw + k] += v * v;
                            }
                        }
                    }
                    for (int o = 0; o < out; o++) {
                        double v = g[(int) (((b * out + o) * y.dim(2) + oy) * y.dim(3) + ox)];
                        s[o] += v * v;
                    }
                }
            }
        }
        return (double) n * y.dim(2) * y.dim(3);
    }

    private void releasedNorm(Capture c, double[] u, double[] sum, double batch) {
        double square = Arrays.stream(u).map(x -> x * x).sum();
        double[] h = {square / (batch * batch), u.length / (batch * batch)};
        double[] s = Arrays.stream(sum).map(x -> x * x / batch).toArray();
        double[] hh = averaged(c.weight().path() + "H", h),
                ss = averaged(c.weight().path() + "S", s);
        finish(
                c,
                Arrays.stream(ss).map(x -> x * hh[0]).toArray(),
                Arrays.stream(ss).map(x -> x * hh[1]).toArray(),
                true);
    }

    /** Adds the squared per-sample gradients of scale and shift. */
    private static void exactNorm(
            double[] scale, double[] shift, double[] normal, double[] g, int n, int places, boolean channelFirst) {
        int width = scale.length, sample = width * places;
        for (int b = 0; b < n; b++) {
            double[] u = new double[width], v = new double[width];
            for (int i = 0; i < sample; i++) {
                int channel = channelFirst ? i / places : i % width;
                u[channel] += normal[b * sample + i] * g[b * sample + i];
                v[channel] += g[b * sample + i];
            }
            for (int i = 0; i < width; i++) {
                scale[i] += u[i] * u[i];
                shift[i] += v[i] * v[i];
            }
        }
    }

    private double[] averaged(String name, double[] fresh) {
        double[] old = averages.computeIfAbsent(name, _ -> {
            double[] start = new double[fresh.length];
            Arrays.fill(start, config.mode() == Mode.RELEASED ? 1 : 0);
            return start;
        });
        double[] taken = config.mode() == Mode.RELEASED ? scaled(fresh, 1e-6) : fresh;
        double keep = 0, take = 0;
        switch (config.mode()) {
            case RELEASED -> {
                keep = 0.1 * config.gamma();
                take = 0.01 * config.gamma();
            }
            case PAPER -> {
                keep = config.gamma();
                take = 1 - keep;
            }
            case RELATIVE -> {
                keep = config.decay();
                take = 1 - keep;
            }
        }
        for (int i = 0; i < old.length; i++) {
            old[i] = keep * old[i] + take * taken[i];
        }
        return config.mode() == Mode.PAPER ? scaled(old, 0) : old;
    }

    private static double[] scaled(double[] x, double epsilon) {
        double min = DoubleStream.of(x).min().orElseThrow(),
                max = DoubleStream.of(x).max().orElseThrow();
        return DoubleStream.of(x)
                .map(v -> max > min ? (v - min) / (max - min + epsilon) : 0)
                .toArray();
    }

    private void finish(Capture c, double[] weight, double[] bias, boolean together) {
        if (config.mode() != Mode.RELATIVE) {
            put(c.weight(), Arrays.stream(weight).map(x -> x + config.lambda()).toArray());
            c.bias()
                    .ifPresent(b -> put(
                            b, Arrays.stream(bias).map(x -> x + config.lambda()).toArray()));
        } else if (together && bias != null) {
            double[] all = DoubleStream.concat(DoubleStream.of(weight), DoubleStream.of(bias))
                    .toArray();
            double[] f = relative(all);
            put(c.weight(), Arrays.copyOf(f, weight.length));
            put(c.bias().orElseThrow(), Arrays.copyOfRange(f, weight.length, f.length));
        } else {
            put(c.weight(), relative(weight));
            c.bias().ifPresent(b -> put(b, relative(bias)));
        }
    }

    private double[] relative(double[] d) {
        double damping = config.tau() * DoubleStream.of(d).average().orElseThrow();
        double[] damped = DoubleStream.of(d).map(x -> x + damping).toArray();
        double mean = DoubleStream.of(damped)
                .map(x -> Math.pow(x, -config.power()))
                .average()
                .orElseThrow();
        return DoubleStream.of(damped)
                .map(x -> 1 / Math.min(Math.pow(x, -config.power()) / mean, config.cap()))
                .toArray();
    }

    private void put(Parameter parameter, double[] fisher) {
        fishers.put(parameter.path(), fisher);
    }

    private static double[] meanSquares(double[] x, int rows, int columns) {
        double[] result = new double[columns];
        for (int i = 0; i < x.length; i++) {
            result[i % columns] += x[i] * x[i] / rows;
        }
        return result;
    }

    private static double[] append(double[] x, double last) {
        double[] result = Arrays.copyOf(x, x.length + 1);
        result[x.length] = last;
        return result;
    }

    private static double[] normalizedByChannel(double[] x, int n, int channels, int places, double epsilon) {
        double[] result = new double[x.length];
        for (int ch = 0; ch < channels; ch++) {
            double mean = 0, square = 0;
            for (int b = 0; b < n; b++) {
                for (int i = 0; i < places; i++) {
                    mean += x[(b * channels + ch) * places + i] / (n * places);
                }
            }
            for (int b = 0; b < n; b++) {
                for (int i = 0; i < places; i++) {
                    double d = x[(b * channels + ch) * places + i] - mean;
                    square += d * d / (n * places);
                }
            }
            for (int b = 0; b < n; b++) {
                for (int i = 0; i < places; i++) {
                    int at = (b * channels + ch) * places + i;
                    result[at] = (x[at] - mean) / Math.sqrt(square + epsilon);
                }
            }
        }
        return result;
    }

    private static double[] normalizedByRow(double[] x, int width, double epsilon) {
        double[] result = new double[x.length];
        for (int row = 0; row < x.length / width; row++) {
            double mean = 0, square = 0;
            for (int i = 0; i < width; i++) {
                mean += x[row * width + i] / width;
            }
            for (int i = 0; i < width; i++) {
                double d = x[row * width + i] - mean;
                square += d * d / width;
            }
            for (int i = 0; i < width; i++) {
                result[row * width + i] = (x[row * width + i] - mean) / Math.sqrt(square + epsilon);
            }
        }
        return result;
    }
}
