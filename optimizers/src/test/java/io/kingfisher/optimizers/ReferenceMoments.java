package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import java.util.ArrayList;
import java.util.List;

/**
 * The factors of a layer's empirical Fisher block in double precision from what its captures saw, place by place: patches are
 * really taken and outer products really added.
 *
 * @param a for each group; of an embedding as a full matrix
 * @param g for each group; empty for a norm layer, whose blocks are {@code a}
 */
record ReferenceMoments(List<double[][]> a, List<double[][]> g) {
    /** Of the uses of one weight; ds are those of the mean over {@code samples}. */
    static ReferenceMoments of(List<ReferenceFisher.Use> uses, double samples) {
        boolean table = uses.stream().anyMatch(use -> use.capture() instanceof Capture.Embedding);
        if (!table) {
            return switch (uses.get(0).capture()) {
                case Capture.Conv2d _ -> convolution(uses, samples);
                case Capture.Linear _ -> linear(uses, samples);
                default -> norm(uses, samples);
            };
        }
        List<ReferenceFisher.Use> lookups = new ArrayList<>(), logits = new ArrayList<>();
        uses.forEach(use -> (use.capture() instanceof Capture.Embedding ? lookups : logits).add(use));
        ReferenceMoments first = embedding(lookups, samples);
        if (logits.isEmpty()) {
            return first;
        }
        // Seen from the table, logits have features for outputs and words for inputs, of which the diagonal counts.
        ReferenceMoments second = linear(logits, samples);
        double[][] a1 = first.a.get(0), g1 = first.g.get(0), g2 = second.a.get(0);
        double[][] a2 = Dense.zeros(a1.length, a1.length);
        for (int i = 0; i < a1.length; i++) {
            a2[i][i] = second.g.get(0)[i][i];
        }
        double ta1 = Dense.trace(a1), tg1 = Dense.trace(g1), ta2 = Dense.trace(a2), tg2 = Dense.trace(g2);
        double total = ta1 * tg1 + ta2 * tg2;
        double[][] zero = Dense.zeros(a1.length, a1.length), none = Dense.zeros(g1.length, g1.length);
        return new ReferenceMoments(
                List.<double[][]>of(Dense.plus(Dense.plus(zero, tg1, a1), tg2, a2)),
                List.<double[][]>of(Dense.plus(Dense.plus(none, ta1 / total, g1), ta2 / total, g2)));
    }

    /** The average with what comes now, of which {@code keep} is kept. */
    ReferenceMoments mix(ReferenceMoments now, double keep) {
        return new ReferenceMoments(mix(a, now.a, keep), mix(g, now.g, keep));
    }

    private static List<double[][]> mix(List<double[][]> old, List<double[][]> now, double keep) {
        List<double[][]> result = new ArrayList<>();
        for (int k = 0; k < old.size(); k++) {
            double[][] zero = Dense.zeros(old.get(k).length, old.get(k).length);
            result.add(Dense.plus(Dense.plus(zero, keep, old.get(k)), 1 - keep, now.get(k)));
        }
        return result;
    }

    private static void outer(double[][] sum, double[] v, double by) {
        for (int i = 0; i < v.length; i++) {
            for (int j = 0; j < v.length; j++) {
                sum[i][j] += by * v[i] * v[j];
            }
        }
    }

    private static double[] row(double[] values, int row, int width, boolean constant, double by) {
        double[] result = new double[width + (constant ? 1 : 0)];
        for (int i = 0; i < width; i++) {
            result[i] = by * values[row * width + i];
        }
        if (constant) {
            result[width] = 1;
        }
        return result;
    }

    private static ReferenceMoments linear(List<ReferenceFisher.Use> uses, double samples) {
        Capture c = uses.get(0).capture();
        boolean bias = c.bias().isPresent();
        int out = (int) c.weight().shape().dim(0), in = (int) c.weight().shape().dim(1), n = in + (bias ? 1 : 0);
        double[][] a = Dense.zeros(n, n), g = Dense.zeros(out, out);
        int rows = uses.stream().mapToInt(use -> use.a().length / in).sum();
        for (ReferenceFisher.Use use : uses) {
            for (int r = 0; r < use.a().length / in; r++) {
                outer(a, row(use.a(), r, in, bias, 1), 1.0 / rows);
                outer(g, row(use.ds(), r, out, false, samples), 1 / samples);
            }
        }
        return new ReferenceMoments(List.<double[][]>of(a), List.<double[][]>of(g));
    }

    private static ReferenceMoments embedding(List<ReferenceFisher.Use> uses, double samples) {
        Shape w = uses.get(0).capture().weight().shape();
        int words = (int) w.dim(0), width = (int) w.dim(1);
        double[][] a = Dense.zeros(words, words), g = Dense.zeros(width, width);
        int rows = uses.stream().mapToInt(use -> use.a().length).sum();
        for (ReferenceFisher.Use use : uses) {
            for (int r = 0; r < use.a().length; r++) {
                a[(int) use.a()[r]][(int) use.a()[r]] += 1.0 / rows;
                outer(g, row(use.ds(), r, width, false, samples), 1 / samples);
            }
        }
        return new ReferenceMoments(List.<double[][]>of(a), List.<double[][]>of(g));
    }

    private static ReferenceMoments convolution(List<ReferenceFisher.Use> uses, double samples) {
        Capture.Conv2d first = (Capture.Conv2d) uses.get(0).capture();
        Shape w = first.weight().shape();
        Convolution window = first.window();
        boolean bias = first.bias().isPresent();
        int groups = window.groups(), own = (int) w.dim(1), kh = (int) w.dim(2), kw = (int) w.dim(3);
        int out = (int) w.dim(0) / groups, patch = own * kh * kw, n = patch + (bias ? 1 : 0);
        List<double[][]> as = new ArrayList<>(), gs = new ArrayList<>();
        double places = uses.stream()
                .mapToDouble(use -> {
                    Shape s = use.capture().s().shape();
                    return (double) s.dim(0) * s.dim(2) * s.dim(3);
                })
                .sum();
        for (int group = 0; group < groups; group++) {
            double[][] a = Dense.zeros(n, n), g = Dense.zeros(out, out);
            for (ReferenceFisher.Use use : uses) {
                Shape x = use.capture().a().shape(), s = use.capture().s().shape();
                for (int b = 0; b < s.dim(0); b++) {
                    for (int p = 0; p < s.dim(2); p++) {
                        for (int q = 0; q < s.dim(3); q++) {
                            double[] seen = new double[n], ds = new double[out];
                            for (int i = 0; i < patch; i++) {
                                int c = group * own + i / (kh * kw);
                                int y = p * window.strideH() + i / kw % kh * window.dilationH() - window.paddingH();
                                int z = q * window.strideW() + i % kw * window.dilationW() - window.paddingW();
                                boolean inside = y >= 0 && y < x.dim(2) && z >= 0 && z < x.dim(3);
                                int at = (int) (((b * x.dim(1) + c) * x.dim(2) + y) * x.dim(3) + z);
                                seen[i] = inside ? use.a()[at] : 0;
                            }
                            if (bias) {
                                seen[patch] = 1;
                            }
                            for (int o = 0; o < out; o++) {
                                int at = (int) (((b * s.dim(1) + group * out + o) * s.dim(2) + p) * s.dim(3) + q);
                                ds[o] = samples * use.ds()[at];
                            }
                            outer(a, seen, 1 / places);
                            outer(g, ds, 1 / samples);
                        }
                    }
                }
            }
            as.add(a);
            gs.add(g);
        }
        return new ReferenceMoments(as, gs);
    }

    /** A sample of a batch norm is an image; of a layer norm a row. */
    private static ReferenceMoments norm(List<ReferenceFisher.Use> uses, double samples) {
        Capture c = uses.get(0).capture();
        int channels = (int) c.weight().shape().elements(), n = c.bias().isPresent() ? 2 : 1;
        List<double[][]> blocks = new ArrayList<>();
        for (int channel = 0; channel < channels; channel++) {
            double[][] block = Dense.zeros(n, n);
            for (ReferenceFisher.Use use : uses) {
                Shape s = use.capture().a().shape();
                boolean batch = use.capture() instanceof Capture.BatchNorm2d;
                int images = (int) (batch ? s.dim(0) : s.elements() / channels),
                        area = (int) (s.elements() / images / channels);
                double epsilon = batch ? ((Capture.BatchNorm2d) use.capture()).epsilon() : 1e-5;
                for (int b = 0; b < images; b++) {
                    double[] sums = new double[n];
                    for (int p = 0; p < area; p++) {
                        int at = (b * channels + channel) * area + p;
                        double hat = batch
                                ? standard(use.a(), at, images, channels, area, channel, epsilon)
                                : standard(use.a(), at, b * channels, channels, epsilon);
                        sums[0] += samples * use.ds()[at] * hat;
                        if (n > 1) {
                            sums[1] += samples * use.ds()[at];
                        }
                    }
                    outer(block, sums, 1 / samples);
                }
            }
            blocks.add(block);
        }
        return new ReferenceMoments(blocks, List.of());
    }

    private static double standard(
            double[] a, int at, int images, int channels, int area, int channel, double epsilon) {
        double mean = 0, square = 0, count = (double) images * area;
        for (int b = 0; b < images; b++) {
            for (int p = 0; p < area; p++) {
                mean += a[(b * channels + channel) * area + p] / count;
            }
        }
        for (int b = 0; b < images; b++) {
            for (int p = 0; p < area; p++) {
                square += Math.pow(a[(b * channels + channel) * area + p] - mean, 2) / count;
            }
        }
        return (a[at] - mean) / Math.sqrt(square + epsilon);
    }

    private static double standard(double[] a, int at, int from, int width, double epsilon) {
        double mean = 0, square = 0;
        for (int i = from; i < from + width; i++) {
            mean += a[i] / width;
        }
        for (int i = from; i < from + width; i++) {
            square += Math.pow(a[i] - mean, 2) / width;
        }
        return (a[at] - mean) / Math.sqrt(square + epsilon);
    }
}
