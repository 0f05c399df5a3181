package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Type;
import java.util.List;

/** Pooling of planes in row-major order, plane by plane, so that planes run in parallel. */
final class Pools {
    private final Pool.Window window;
    private final DType dtype;
    private final int height, width, outHeight, outWidth;

    private Pools(Pool.Window window, DType dtype, Shape image, Shape out) {
        this.window = window;
        this.dtype = dtype;
        this.height = image.size(2);
        this.width = image.size(3);
        this.outHeight = out.size(2);
        this.outWidth = out.size(3);
    }

    /** What is done to one plane. */
    private interface Plane {
        void run(long[] at, long plane);
    }

    static Kernel kernel(Workers workers, Pool op, List<Type> inputs) {
        Type in = inputs.get(0), result = op.infer(inputs).get(0);
        boolean back = op instanceof Pool.MaxPool2dGrad || op instanceof Pool.AvgPool2dGrad;
        Shape image = back ? result.shape() : in.shape(), out = back ? in.shape() : result.shape();
        Pools pools = new Pools(op.window(), in.dtype(), image, out);
        long planes = image.dim(0) * image.dim(1);
        int cells = op.window().kernelH() * op.window().kernelW();
        int parts = MapStep.parts(workers, out.elements() * (cells + 4) * 4);
        Plane plane = switch (op) {
            case Pool.MaxPool2d _ -> pools::max;
            case Pool.MaxPool2dGrad _ -> pools::maxGradient;
            case Pool.MaxPool2dGather _ -> pools::maxGather;
            case Pool.AvgPool2d _ -> pools::mean;
            case Pool.AvgPool2dGrad _ -> pools::meanGradient;
        };
        return addresses -> {
            long[] at = addresses.clone();
            Workers.Task task = part -> {
                for (long p = planes * part / parts; p < planes * (part + 1) / parts; p++) {
                    plane.run(at, p);
                }
            };
            return () -> workers.run(task, parts);
        };
    }

    private double get(long address) {
        return dtype == DType.F32 ? Memory.f32(address) : Memory.get(dtype, address);
    }

    private void set(long address, double value) {
        if (dtype == DType.F32) {
            Memory.f32(address, (float) value);
        } else {
            Memory.set(dtype, address, value);
        }
    }

    private long image(long base, long plane) {
        return base + plane * height * width * dtype.bytes();
    }

    private long out(long base, long plane) {
        return base + plane * outHeight * outWidth * dtype.bytes();
    }

    private void max(long[] at, long plane) {
        long x = image(at[0], plane), y = out(at[1], plane), cells = at[2] + plane * outHeight * outWidth;
        for (int h = 0; h < outHeight; h++) {
            for (int w = 0; w < outWidth; w++) {
                int top = h * window.strideH() - window.paddingH(), left = w * window.strideW() - window.paddingW();
                int endH = Math.min(window.kernelH(), height - top), endW = Math.min(window.kernelW(), width - left);
                int best = -1;
                double most = 0;
                for (int kh = Math.max(0, -top); kh < endH; kh++) {
                    for (int kw = Math.max(0, -left); kw < endW; kw++) {
                        double v = get(x + ((long) (top + kh) * width + left + kw) * dtype.bytes());
                        if (best < 0 || v > most || (Double.isNaN(v) && !Double.isNaN(most))) {
                            best = kh * window.kernelW() + kw;
                            most = v;
                        }
                    }
                }
                long place = (long) h * outWidth + w;
                set(y + place * dtype.bytes(), most);
                Memory.u8(cells + place, best);
            }
        }
    }

    /** The address in an image's plane of the cell that a position names. */
    private long place(long x, int h, int w, long cells) {
        int cell = Memory.u8(cells + (long) h * outWidth + w);
        int row = h * window.strideH() - window.paddingH() + cell / window.kernelW();
        int column = w * window.strideW() - window.paddingW() + cell % window.kernelW();
        return x + ((long) row * width + column) * dtype.bytes();
    }

    private void maxGradient(long[] at, long plane) {
        long dy = out(at[0], plane), cells = at[1] + plane * outHeight * outWidth, dx = image(at[2], plane);
        Memory.zero(dx, (long) height * width * dtype.bytes());
        for (int h = 0; h < outHeight; h++) {
            for (int w = 0; w < outWidth; w++) {
                long place = place(dx, h, w, cells);
                set(place, get(place) + get(dy + ((long) h * outWidth + w) * dtype.bytes()));
            }
        }
    }

    private void maxGather(long[] at, long plane) {
        long x = image(at[0], plane), cells = at[1] + plane * outHeight * outWidth, y = out(at[2], plane);
        for (int h = 0; h < outHeight; h++) {
            for (int w = 0; w < outWidth; w++) {
                set(y + ((long) h * outWidth + w) * dtype.bytes(), get(place(x, h, w, cells)));
            }
        }
    }

    private void mean(long[] at, long plane) {
        long x = image(at[0], plane), y = out(at[1], plane);
        for (int h = 0; h < outHeight; h++) {
            for (int w = 0; w < outWidth; w++) {
                int top = h * window.strideH() - window.paddingH(), left = w * window.strideW() - window.paddingW();
                int endH = Math.min(window.kernelH(), height - top), endW = Math.min(window.kernelW(), width - left);
                double sum = 0;
                for (int kh = Math.max(0, -top); kh < endH; kh++) {
                    for (int kw = Math.max(0, -left); kw < endW; kw++) {
                        sum += get(x + ((long) (top + kh) * width + left + kw) * dtype.bytes());
                    }
                }
                set(y + ((long) h * outWidth + w) * dtype.bytes(), sum / (window.kernelH() * window.kernelW()));
            }
        }
    }

    private void meanGradient(long[] at, long plane) {
        long dy = out(at[0], plane), dx = image(at[1], plane);
        Memory.zero(dx, (long) height * width * dtype.bytes());
        for (int h = 0; h < outHeight; h++) {
            for (int w = 0; w < outWidth; w++) {
                int top = h * window.strideH() - window.paddingH(), left = w * window.strideW() - window.paddingW();
                int endH = Math.min(window.kernelH(), height - top), endW = Math.min(window.kernelW(), width - left);
                double share =
                        get(dy + ((long) h * outWidth + w) * dtype.bytes()) / (window.kernelH() * window.kernelW());
                for (int kh = Math.max(0, -top); kh < endH; kh++) {
                    for (int kw = Math.max(0, -left); kw < endW; kw++) {
                        long place = dx + ((long) (top + kh) * width + left + kw) * dtype.bytes();
                        set(place, get(place) + share);
                    }
                }
            }
        }
    }
}
