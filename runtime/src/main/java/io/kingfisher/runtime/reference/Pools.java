package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;

/** Pooling and its gradients. */
final class Pools {
    private Pools() {}

    static double[][] run(Pool op, Node node, double[][] in) {
        Shape input = node.input(0).shape(), out = node.output(0).shape();
        return switch (op) {
            case Pool.MaxPool2d _ -> max(op.window(), input, out, in[0]);
            case Pool.MaxPool2dGrad(Pool.Window _, Shape image) -> {
                double[] dx = Movements.zeros(image);
                forEachWindow(op.window(), image, input, (place, plane, top, left) -> {
                    int at = at(op.window(), image, plane, top, left, in[1][place]);
                    dx[at] += in[0][place];
                });
                yield new double[][] {dx};
            }
            case Pool.MaxPool2dGather _ -> {
                double[] y = Movements.zeros(out);
                forEachWindow(
                        op.window(),
                        input,
                        out,
                        (place, plane, top, left) ->
                                y[place] = in[0][at(op.window(), input, plane, top, left, in[1][place])]);
                yield new double[][] {y};
            }
            case Pool.AvgPool2d _ -> {
                double[] y = Movements.zeros(out);
                forEachCell(op.window(), input, out, (place, _, at) -> y[place] += in[0][at]);
                for (int i = 0; i < y.length; i++) {
                    y[i] /= cells(op.window());
                }
                yield new double[][] {y};
            }
            case Pool.AvgPool2dGrad(Pool.Window _, Shape image) -> {
                double[] dx = Movements.zeros(image);
                forEachCell(op.window(), image, input, (place, _, at) -> dx[at] += in[0][place] / cells(op.window()));
                yield new double[][] {dx};
            }
        };
    }

    private static double cells(Pool.Window window) {
        return window.kernelH() * window.kernelW();
    }

    /** The maximum (NaN where any cell is) and the number of the first cell that has it. */
    private static double[][] max(Pool.Window window, Shape image, Shape out, double[] x) {
        double[] y = Movements.zeros(out), cells = Movements.zeros(out);
        boolean[] seen = new boolean[y.length];
        forEachCell(window, image, out, (place, cell, at) -> {
            boolean better = x[at] > y[place] || (Double.isNaN(x[at]) && !Double.isNaN(y[place]));
            if (!seen[place] || better) {
                seen[place] = true;
                y[place] = x[at];
                cells[place] = cell;
            }
        });
        return new double[][] {y, cells};
    }

    /** Where the cell of a window is in the image. */
    private static int at(Pool.Window window, Shape image, int plane, int top, int left, double cell) {
        int h = top + (int) cell / window.kernelW(), w = left + (int) cell % window.kernelW();
        return (plane * image.size(2) + h) * image.size(3) + w;
    }

    /** An output place, the image's plane that it is from, and the window's corner, which may be outside. */
    private interface Windows {
        void visit(int place, int plane, int top, int left);
    }

    /** An output place, the cell of the window, and its place in the image. */
    private interface Cells {
        void visit(int place, int cell, int at);
    }

    private static void forEachWindow(Pool.Window window, Shape image, Shape out, Windows visitor) {
        int outH = out.size(2), outW = out.size(3);
        for (int plane = 0; plane < image.size(0) * image.size(1); plane++) {
            for (int h = 0; h < outH; h++) {
                for (int w = 0; w < outW; w++) {
                    int place = (plane * outH + h) * outW + w;
                    int top = h * window.strideH() - window.paddingH(), left = w * window.strideW() - window.paddingW();
                    visitor.visit(place, plane, top, left);
                }
            }
        }
    }

    private static void forEachCell(Pool.Window window, Shape image, Shape out, Cells visitor) {
        int height = image.size(2), width = image.size(3);
        forEachWindow(window, image, out, (place, plane, top, left) -> {
            for (int kh = Math.max(0, -top); kh < window.kernelH() && top + kh < height; kh++) {
                for (int kw = Math.max(0, -left); kw < window.kernelW() && left + kw < width; kw++) {
                    int at = (plane * height + top + kh) * width + left + kw;
                    visitor.visit(place, kh * window.kernelW() + kw, at);
                }
            }
        });
    }
}
