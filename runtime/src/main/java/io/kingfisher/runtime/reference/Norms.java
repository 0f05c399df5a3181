package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.Node;

/** Batch and layer normalisation and their gradients. */
final class Norms {
    private Norms() {}

    static double[][] batch(BatchNorm op, Node node, double[][] in) {
        Shape shape = node.input(0).shape();
        double[] x = in[0], scale = in[1], shift = in[2];
        int channels = shape.size(1);
        double count = (double) x.length / channels;
        double[] y = new double[x.length], mean = new double[channels], variance = new double[channels];
        int[] channel = channels(shape);
        for (int i = 0; i < x.length; i++) {
            mean[channel[i]] += x[i];
        }
        divide(mean, count);
        for (int i = 0; i < x.length; i++) {
            double centred = x[i] - mean[channel[i]];
            variance[channel[i]] += centred * centred;
        }
        divide(variance, count);
        for (int i = 0; i < x.length; i++) {
            int c = channel[i];
            y[i] = (x[i] - mean[c]) / Math.sqrt(variance[c] + op.epsilon()) * scale[c] + shift[c];
        }
        return new double[][] {y, mean, variance};
    }

    static double[][] batchGradient(BatchNormGrad op, Node node, double[][] in) {
        Shape shape = node.input(0).shape();
        double[] x = in[0], scale = in[1], mean = in[2], variance = in[3], dy = in[4];
        int channels = shape.size(1);
        double count = (double) x.length / channels;
        double[] dx = new double[x.length], dscale = new double[channels], dshift = new double[channels];
        int[] channel = channels(shape);
        double[] normal = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            int c = channel[i];
            normal[i] = (x[i] - mean[c]) / Math.sqrt(variance[c] + op.epsilon());
            dscale[c] += dy[i] * normal[i];
            dshift[c] += dy[i];
        }
        for (int i = 0; i < x.length; i++) {
            int c = channel[i];
            double inner = dy[i] - dshift[c] / count - normal[i] * dscale[c] / count;
            dx[i] = inner * scale[c] / Math.sqrt(variance[c] + op.epsilon());
        }
        return new double[][] {dx, dscale, dshift};
    }

    /** The channel of each element. */
    private static int[] channels(Shape shape) {
        int count = Math.toIntExact(shape.elements()), channels = shape.size(1);
        int inner = Math.toIntExact(shape.slice(2, shape.rank()).elements());
        int[] result = new int[count];
        for (int i = 0; i < count; i++) {
            result[i] = i / inner % channels;
        }
        return result;
    }

    private static void divide(double[] x, double by) {
        for (int i = 0; i < x.length; i++) {
            x[i] /= by;
        }
    }

    static double[][] layer(LayerNorm op, Node node, double[][] in) {
        int width = node.input(0).shape().size(-1);
        int rows = Math.toIntExact(node.output(1).shape().elements());
        double[] x = in[0], scale = in[1], shift = in[2];
        double[] y = new double[x.length], mean = new double[rows], rstd = new double[rows];
        for (int r = 0; r < rows; r++) {
            double sum = 0, squares = 0;
            for (int j = 0; j < width; j++) {
                sum += x[r * width + j];
            }
            mean[r] = sum / width;
            for (int j = 0; j < width; j++) {
                double centred = x[r * width + j] - mean[r];
                squares += centred * centred;
            }
            rstd[r] = 1 / Math.sqrt(squares / width + op.epsilon());
            for (int j = 0; j < width; j++) {
                y[r * width + j] = (x[r * width + j] - mean[r]) * rstd[r] * scale[j] + shift[j];
            }
        }
        return new double[][] {y, mean, rstd};
    }

    static double[][] layerGradient(Node node, double[][] in) {
        int width = node.input(0).shape().size(-1);
        double[] x = in[0], scale = in[1], mean = in[2], rstd = in[3], dy = in[4];
        double[] dx = new double[x.length], dscale = new double[width], dshift = new double[width];
        for (int r = 0; r < mean.length; r++) {
            double sum = 0, along = 0;
            for (int j = 0; j < width; j++) {
                int i = r * width + j;
                double normal = (x[i] - mean[r]) * rstd[r];
                dscale[j] += dy[i] * normal;
                dshift[j] += dy[i];
                sum += dy[i] * scale[j];
                along += dy[i] * scale[j] * normal;
            }
            for (int j = 0; j < width; j++) {
                int i = r * width + j;
                double normal = (x[i] - mean[r]) * rstd[r];
                dx[i] = rstd[r] * (dy[i] * scale[j] - sum / width - normal * along / width);
            }
        }
        return new double[][] {dx, dscale, dshift};
    }
}
