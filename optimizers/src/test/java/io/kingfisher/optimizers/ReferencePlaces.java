package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;

/** Every place (row, token, window) at which a layer was applied, one by one. */
final class ReferencePlaces {
    /** What is told of a place. */
    interface Visitor {
        /**
         * @param sample the index of the sample to which it belongs
         * @param a the input: a row, a patch, one-hot for a token, with a last 1 where there is a bias
         * @param ds the gradient of the mean loss
         */
        void see(int sample, double[] a, double[] ds);
    }

    private ReferencePlaces() {}

    /** Visits all places of one use in one group of channels. Norm layers have the normalised input of a channel. */
    static void visit(ReferenceFisher.Use use, int group, Visitor visitor) {
        Capture capture = use.capture();
        Shape w = capture.weight().shape();
        boolean bias = capture.bias().isPresent();
        switch (capture) {
            case Capture.Linear _ -> {
                int out = (int) w.dim(0), in = (int) w.dim(1);
                for (int r = 0; r < use.a().length / in; r++) {
                    visitor.see(r, input(use.a(), r * in, in, bias), input(use.ds(), r * out, out, false));
                }
            }
            case Capture.Embedding _ -> {
                int width = (int) w.dim(1);
                for (int r = 0; r < use.a().length; r++) {
                    double[] hot = new double[(int) w.dim(0)];
                    hot[(int) use.a()[r]] = 1;
                    visitor.see(r, hot, input(use.ds(), r * width, width, false));
                }
            }
            case Capture.Conv2d c -> windows(use, c, group, visitor);
            case Capture.BatchNorm2d c -> norm(use, group, c.epsilon(), true, visitor);
            case Capture.LayerNorm _ -> norm(use, group, 1e-5, false, visitor);
        }
    }

    private static double[] input(double[] from, int at, int width, boolean constant) {
        double[] result = new double[width + (constant ? 1 : 0)];
        System.arraycopy(from, at, result, 0, width);
        if (constant) {
            result[width] = 1;
        }
        return result;
    }

    private static void windows(ReferenceFisher.Use use, Capture.Conv2d c, int group, Visitor visitor) {
        Shape w = c.weight().shape(), x = c.a().shape(), s = c.s().shape();
        Convolution window = c.window();
        int own = (int) w.dim(1), kh = (int) w.dim(2), kw = (int) w.dim(3), out = (int) w.dim(0) / window.groups();
        for (int b = 0; b < s.dim(0); b++) {
            for (int p = 0; p < s.dim(2); p++) {
                for (int q = 0; q < s.dim(3); q++) {
                    double[] patch = new double[own * kh * kw], ds = new double[out];
                    for (int i = 0; i < patch.length; i++) {
                        int channel = group * own + i / (kh * kw);
                        int y = p * window.strideH() + i / kw % kh * window.dilationH() - window.paddingH();
                        int z = q * window.strideW() + i % kw * window.dilationW() - window.paddingW();
                        if (y >= 0 && y < x.dim(2) && z >= 0 && z < x.dim(3)) {
                            patch[i] = use.a()[(int) (((b * x.dim(1) + channel) * x.dim(2) + y) * x.dim(3) + z)];
                        }
                    }
                    for (int o = 0; o < out; o++) {
                        ds[o] = use.ds()[(int) (((b * s.dim(1) + group * out + o) * s.dim(2) + p) * s.dim(3) + q)];
                    }
                    visitor.see(b, input(patch, 0, patch.length, c.bias().isPresent()), ds);
                }
            }
        }
    }

    /** Places of a channel; all images together are normalised in a batch norm, each row in a layer norm. */
    private static void norm(ReferenceFisher.Use use, int channel, double epsilon, boolean batch, Visitor visitor) {
        int channels = (int) use.capture().weight().shape().elements();
        Shape s = use.capture().a().shape();
        int images = (int) (batch ? s.dim(0) : s.elements() / channels),
                area = (int) (s.elements() / images / channels);
        for (int b = 0; b < images; b++) {
            for (int p = 0; p < area; p++) {
                int at = (b * channels + channel) * area + p;
                double mean = 0, square = 0;
                int count = batch ? images * area : channels;
                for (int pass = 0; pass < 2; pass++) {
                    for (int k = 0; k < count; k++) {
                        double value = batch
                                ? use.a()[(k / area * channels + channel) * area + k % area]
                                : use.a()[b * channels + k];
                        mean += pass == 0 ? value / count : 0;
                        square += pass == 1 ? (value - mean) * (value - mean) / count : 0;
                    }
                }
                double hat = (use.a()[at] - mean) / Math.sqrt(square + epsilon);
                boolean shift = use.capture().bias().isPresent();
                visitor.see(b, shift ? new double[] {hat, 1} : new double[] {hat}, new double[] {use.ds()[at]});
            }
        }
    }
}
