package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;

/** Softmax, cross-entropy and their gradients, a row at a time. */
final class Softmaxes {
    private Softmaxes() {}

    static double[] softmax(Node node, double[] x) {
        int width = node.input(0).shape().size(-1);
        double[] y = new double[x.length];
        for (int row = 0; row < x.length; row += width) {
            double lse = logSumExp(x, row, width);
            for (int j = row; j < row + width; j++) {
                y[j] = Math.exp(x[j] - lse);
            }
        }
        return y;
    }

    static double[] gradient(Node node, double[] y, double[] dy) {
        int width = node.input(0).shape().size(-1);
        double[] dx = new double[y.length];
        for (int row = 0; row < y.length; row += width) {
            double sum = 0;
            for (int j = row; j < row + width; j++) {
                sum += y[j] * dy[j];
            }
            for (int j = row; j < row + width; j++) {
                dx[j] = y[j] * (dy[j] - sum);
            }
        }
        return dx;
    }

    static double[][] crossEntropy(SoftmaxCrossEntropy op, Node node, double[] x, double[] labels) {
        int classes = node.input(0).shape().size(1);
        double[] loss = new double[labels.length], lse = new double[labels.length];
        for (int r = 0; r < labels.length; r++) {
            lse[r] = logSumExp(x, r * classes, classes);
            int label = (int) labels[r];
            if (label == op.ignoredLabel()) {
                loss[r] = 0;
            } else if (label < 0 || label >= classes) {
                loss[r] = Double.NaN;
            } else {
                double mean = 0;
                for (int j = 0; j < classes; j++) {
                    mean += x[r * classes + j] / classes;
                }
                loss[r] = lse[r] - (1 - op.smoothing()) * x[r * classes + label] - op.smoothing() * mean;
            }
        }
        return new double[][] {loss, lse};
    }

    static double[] crossEntropyGradient(SoftmaxCrossEntropyGrad op, Node node, double[][] in) {
        int classes = node.input(0).shape().size(1);
        double[] x = in[0], labels = in[1], lse = in[2], dloss = in[3];
        double smoothing = op.forward().smoothing();
        double[] dx = new double[x.length];
        for (int r = 0; r < labels.length; r++) {
            int label = (int) labels[r];
            boolean ignored = label == op.forward().ignoredLabel(), valid = label >= 0 && label < classes;
            for (int j = 0; j < classes; j++) {
                double target = (j == label ? 1 - smoothing : 0) + smoothing / classes;
                double slope = Math.exp(x[r * classes + j] - lse[r]) - target;
                dx[r * classes + j] = ignored ? 0 : valid ? slope * dloss[r] : Double.NaN;
            }
        }
        return dx;
    }

    private static double logSumExp(double[] x, int from, int width) {
        double max = Double.NEGATIVE_INFINITY, sum = 0;
        for (int j = from; j < from + width; j++) {
            max = Math.max(max, x[j]);
        }
        for (int j = from; j < from + width; j++) {
            sum += Math.exp(x[j] - max);
        }
        return max + Math.log(sum);
    }
}
