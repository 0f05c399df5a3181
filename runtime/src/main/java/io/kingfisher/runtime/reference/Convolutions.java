package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Node;

/** Convolution and its gradients: the same products {@code y += w x}, each solved for another factor. */
final class Convolutions {
    private Convolutions() {}

    static double[] forward(Conv2d op, Node node, double[] x, double[] w) {
        Shape image = node.input(0).shape(), weight = node.input(1).shape();
        double[] y = Movements.zeros(node.output(0).shape());
        forEachRow(op.window(), image, weight, (xAt, stride, wAt, yAt, count) -> {
            for (int i = 0; i < count; i++) {
                y[yAt + i] += w[wAt] * x[xAt + i * stride];
            }
        });
        return y;
    }

    static double[] inputGradient(Conv2dInputGrad op, Node node, double[] dy, double[] w) {
        double[] dx = Movements.zeros(op.image());
        forEachRow(op.window(), op.image(), node.input(1).shape(), (xAt, stride, wAt, yAt, count) -> {
            for (int i = 0; i < count; i++) {
                dx[xAt + i * stride] += w[wAt] * dy[yAt + i];
            }
        });
        return dx;
    }

    static double[] weightGradient(Conv2dWeightGrad op, Node node, double[] x, double[] dy) {
        double[] dw = Movements.zeros(op.weight());
        forEachRow(op.window(), node.input(0).shape(), op.weight(), (xAt, stride, wAt, yAt, count) -> {
            double sum = 0;
            for (int i = 0; i < count; i++) {
                sum += x[xAt + i * stride] * dy[yAt + i];
            }
            dw[wAt] += sum;
        });
        return dw;
    }

    /** A run of products of one weight with image elements {@code xAt + i * stride} that go into {@code yAt + i}. */
    private interface Row {
        void visit(int xAt, int stride, int wAt, int yAt, int count);
    }

    private static void forEachRow(Convolution c, Shape image, Shape weight, Row row) {
        Shape output = c.output(image, weight);
        int channels = image.size(1), height = image.size(2), width = image.size(3);
        int outs = weight.size(0), ins = weight.size(1), kernelH = weight.size(2), kernelW = weight.size(3);
        int outH = output.size(2), outW = output.size(3);
        for (int n = 0; n < image.size(0); n++) {
            for (int o = 0; o < outs; o++) {
                int firstChannel = o / (outs / c.groups()) * ins;
                for (int i = 0; i < ins; i++) {
                    int plane = (n * channels + firstChannel + i) * height * width;
                    for (int kh = 0; kh < kernelH; kh++) {
                        for (int kw = 0; kw < kernelW; kw++) {
                            int wAt = ((o * ins + i) * kernelH + kh) * kernelW + kw;
                            int shift = kw * c.dilationW() - c.paddingW();
                            int first = first(shift, c.strideW()), end = end(shift, c.strideW(), width, outW);
                            if (first >= end) {
                                continue;
                            }
                            for (int y = 0; y < outH; y++) {
                                int h = y * c.strideH() + kh * c.dilationH() - c.paddingH();
                                if (h >= 0 && h < height) {
                                    int xAt = plane + h * width + first * c.strideW() + shift;
                                    int yAt = ((n * outs + o) * outH + y) * outW + first;
                                    row.visit(xAt, c.strideW(), wAt, yAt, end - first);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /** The first output place whose image place {@code place * stride + shift} is not before the image. */
    private static int first(int shift, int stride) {
        return shift >= 0 ? 0 : Math.ceilDiv(-shift, stride);
    }

    /** The first output place whose image place is behind the image, or behind the output. */
    private static int end(int shift, int stride, int width, int outW) {
        return shift >= width ? 0 : Math.min(outW, (width - 1 - shift) / stride + 1);
    }
}
