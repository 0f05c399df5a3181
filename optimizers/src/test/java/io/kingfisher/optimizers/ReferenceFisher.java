package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.HashMap;
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

    /** Takes in one capture: a and ds in row-major order, ds that of the mean over {@code count} terms. */
    void refresh(Capture capture, double[] a, double[] ds, double count) {
        double perTerm = config.mode() == Mode.RELEASED ? 1 : count;
        double[] g = Arrays.stream(ds).map(x -> x * perTerm).toArray();
        switch (capture) {
            case Capture.Linear c -> {
                int in = (int) c.weight().shape().dim(1),
                        out = (int) c.weight().shape().dim(0),
                        rows = a.length / in;
                double[] h = meanSquares(a, rows, in);
                matrix(c, c.bias().isPresent() ? append(h, 1) : h, meanSquares(g, rows, out), in, out);
            }
            case Capture.Embedding c -> {
                if (config.mode() == Mode.RELEASED) {
                    return;
                }
                int words = (int) c.weight().shape().dim(0),
                        width = (int) c.weight().shape().dim(1),
                        rows = a.length;
                double[] counts = new double[words];
                for (double token : a) {
                    counts[(int) token] += 1.0 / rows;
                }
                // The table is [V x D]: its rows are what the Fisher matrix calls inputs.
                matrix(c, meanSquares(g, rows, width), counts, width, words);
            }
            case Capture.Conv2d c -> convolution(c, a, g);
            case Capture.BatchNorm2d c -> {
                Shape s = c.a().shape();
                int n = (int) s.dim(0), channels = (int) s.dim(1), places = (int) (s.dim(2) * s.dim(3));
                if (config.mode() == Mode.RELEASED) {
                    double[] u = new double[channels], sum = new double[channels];
                    for (int i = 0; i < a.length; i++) {
                        u[i / places % channels] += a[i] / ((double) places * places);
                        sum[i / places % channels] += g[i];
                    }
                    releasedNorm(c, u, sum, n);
                } else {
                    exactNorm(
                            c, normalizedByChannel(a, n, channels, places, c.epsilon()), g, n, channels, places, true);
                }
            }
            case Capture.LayerNorm c -> {
                Shape s = c.a().shape();
                int width = (int) s.dim(-1), n = (int) s.dim(0), places = (int) (s.elements() / n / width);
                if (config.mode() == Mode.RELEASED) {
                    int kept = (int) s.dim(1), size = s.rank() > 2 ? width : 1;
                    double[] u = new double[kept], sum = new double[width];
                    for (int i = 0; i < a.length; i++) {
                        u[s.rank() > 2 ? i / width % kept : i % kept] += a[i] / ((double) size * size);
                        sum[i % width] += g[i];
                    }
                    releasedNorm(c, u, sum, n);
                } else {
                    exactNorm(c, normalizedByRow(a, width, 1e-5), g, n, width, places, false);
                }
            }
        }
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

    private void convolution(Capture.Conv2d c, double[] a, double[] g) {
        Shape x = c.a().shape(), w = c.weight().shape(), y = c.s().shape();
        int groups = c.window().groups(), n = (int) x.dim(0), channels = (int) x.dim(1), each = (int) w.dim(1);
        int kh = (int) w.dim(2), kw = (int) w.dim(3), patch = each * kh * kw, out = (int) w.dim(0);
        int rows = (int) (n * y.dim(2) * y.dim(3));
        double[][] h = new double[groups][patch];
        double[] s = new double[out];
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
                                h[ch / each][ch % each * kh * kw + k] += v * v / rows;
                            }
                        }
                    }
                    for (int o = 0; o < out; o++) {
                        double v = g[(int) (((b * out + o) * y.dim(2) + oy) * y.dim(3) + ox)];
                        s[o] += v * v / rows;
                    }
                }
            }
        }
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

    /** The mean over samples of the squared per-sample gradients of scale and shift. */
    private void exactNorm(Capture c, double[] normal, double[] g, int n, int width, int places, boolean channelFirst) {
        double[] scale = new double[width], shift = new double[width];
        int sample = width * places;
        for (int b = 0; b < n; b++) {
            double[] u = new double[width], v = new double[width];
            for (int i = 0; i < sample; i++) {
                int channel = channelFirst ? i / places : i % width;
                u[channel] += normal[b * sample + i] * g[b * sample + i];
                v[channel] += g[b * sample + i];
            }
            for (int i = 0; i < width; i++) {
                scale[i] += u[i] * u[i] / n;
                shift[i] += v[i] * v[i] / n;
            }
        }
        finish(
                c,
                averaged(c.weight().path() + "F", scale),
                averaged(c.bias().orElseThrow().path() + "F", shift),
                false);
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
