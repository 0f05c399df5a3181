package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.cuda.math.MathLibraries.Pass;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.graph.Convolution;

/** The three products of a convolution, in both layouts: each visits all triples of image, weight and output elements. */
final class PlainConvolution {
    private final Conv conv;
    private final Shape output;
    private final long[] x;
    private final long[] w;
    private final long[] y;

    PlainConvolution(Conv conv) {
        this.conv = conv;
        this.output = conv.geometry().output(conv.image(), conv.weight());
        this.x = strides(conv.image());
        this.w = strides(conv.weight());
        this.y = strides(output);
    }

    /** The strides of the axes N C H W (O I KH KW). */
    private long[] strides(Shape s) {
        long c = s.dim(1), v = s.dim(3);
        return conv.channelsLast() ? new long[] {s.dim(2) * v * c, 1, v * c, c} : s.strides();
    }

    void run(long[] at) {
        Shape[] shapes = switch (conv.pass()) {
            case FORWARD -> new Shape[] {conv.image(), conv.weight(), output};
            case INPUT_GRADIENT -> new Shape[] {output, conv.weight(), conv.image()};
            case WEIGHT_GRADIENT -> new Shape[] {conv.image(), output, conv.weight()};
        };
        double[] first = operand(at[0], shapes[0]), second = operand(at[1], shapes[1]);
        double[] result = new double[Math.toIntExact(shapes[2].elements())];
        compute(first, second, result);
        HostNumbers.write(conv.dtype(), at[2], result);
    }

    private double[] operand(long address, Shape shape) {
        double[] values = HostNumbers.read(conv.dtype(), address, shape.elements());
        if (conv.dtype() == DType.F32 && conv.precision() == Precision.TF32) {
            PlainProduct.round(values);
        }
        return values;
    }

    private void compute(double[] first, double[] second, double[] result) {
        Convolution g = conv.geometry();
        long outs = conv.weight().dim(0) / g.groups(), ins = conv.weight().dim(1);
        for (long n = 0; n < output.dim(0); n++) {
            for (long o = 0; o < output.dim(1); o++) {
                for (long h = 0; h < output.dim(2); h++) {
                    for (long v = 0; v < output.dim(3); v++) {
                        int yAt = (int) (n * y[0] + o * y[1] + h * y[2] + v * y[3]);
                        long corner = n * x[0] + o / outs * ins * x[1];
                        long top = h * g.strideH() - g.paddingH(), left = v * g.strideW() - g.paddingW();
                        window(first, second, result, corner, top, left, o * w[0], yAt);
                    }
                }
            }
        }
    }

    private void window(
            double[] first, double[] second, double[] result, long corner, long top, long left, long filter, int yAt) {
        Convolution g = conv.geometry();
        Pass pass = conv.pass();
        for (long i = 0; i < conv.weight().dim(1); i++) {
            for (long r = 0; r < conv.weight().dim(2); r++) {
                long row = top + r * g.dilationH();
                if (row < 0 || row >= conv.image().dim(2)) {
                    continue;
                }
                for (long s = 0; s < conv.weight().dim(3); s++) {
                    long column = left + s * g.dilationW();
                    if (column < 0 || column >= conv.image().dim(3)) {
                        continue;
                    }
                    int xAt = (int) (corner + i * x[1] + row * x[2] + column * x[3]);
                    int wAt = (int) (filter + i * w[1] + r * w[2] + s * w[3]);
                    switch (pass) {
                        case FORWARD -> result[yAt] += first[xAt] * second[wAt];
                        case INPUT_GRADIENT -> result[xAt] += first[yAt] * second[wAt];
                        case WEIGHT_GRADIENT -> result[wAt] += first[xAt] * second[yAt];
                    }
                }
            }
        }
    }
}
