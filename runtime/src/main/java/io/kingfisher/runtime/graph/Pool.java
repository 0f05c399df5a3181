package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Pooling over windows of an image [N x C x H x W], and its gradients. */
public sealed interface Pool extends Op {
    /** How the window moves. */
    Window window();

    /** A pooling window; padding is at most half of it, as every cell of the output must see the image. */
    record Window(int kernelH, int kernelW, int strideH, int strideW, int paddingH, int paddingW) {
        public Window {
            boolean fits = kernelH > 0
                    && kernelW > 0
                    && (long) kernelH * kernelW <= 256
                    && strideH > 0
                    && strideW > 0
                    && paddingH >= 0
                    && paddingW >= 0
                    && 2 * paddingH <= kernelH
                    && 2 * paddingW <= kernelW;
            if (!fits) {
                throw new KingfisherException(
                        "A pooling window has 1 to 256 cells, strides of at least 1 and paddings of"
                                + " at most half the window; got a window of " + kernelH + "x" + kernelW + ", strides "
                                + strideH
                                + ", " + strideW + ", paddings " + paddingH + ", " + paddingW + ".");
            }
        }

        public static Window of(int kernel, int stride, int padding) {
            return new Window(kernel, kernel, stride, stride, padding, padding);
        }

        /** The shape of the output for an image. */
        public Shape output(Shape x) {
            if (x.rank() == 4) {
                long h = Convolution.extent(x.dim(2), kernelH, strideH, paddingH, 1);
                long w = Convolution.extent(x.dim(3), kernelW, strideW, paddingW, 1);
                if (h > 0 && w > 0) {
                    return Shape.of(x.dim(0), x.dim(1), h, w);
                }
            }
            throw new KingfisherException("Cannot pool an image " + x + " with the window " + this
                    + ": images are [N x C x H x W] and, padded, no smaller than the window.");
        }
    }

    /**
     * The maximum over each window, and where it was: a U8 of the output's shape that counts the cells of the window in
     * row-major order, the first where several are equal.
     */
    record MaxPool2d(Window window) implements Pool {
        @Override
        public List<Type> infer(List<Type> inputs) {
            check(inputs);
            Shape shape = window.output(inputs.get(0).shape());
            return List.of(new Type(inputs.get(0).dtype(), shape), new Type(DType.U8, shape));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dy = gradients.get(0);
            if (dy == null) {
                return Collections.singletonList(null);
            }
            Op op = new MaxPool2dGrad(window, node.input(0).shape());
            return List.of(node.graph().add(op, dy, node.output(1)).output(0));
        }
    }

    /** From dy and the positions of the maxima: each dy added to the place (in an image of shape {@code image}) it is from. */
    record MaxPool2dGrad(Window window, Shape image) implements Pool {
        @Override
        public List<Type> infer(List<Type> inputs) {
            check(inputs);
            check(window, image, inputs.get(0).shape());
            check(window, image, inputs.get(1).shape());
            return List.of(new Type(inputs.get(0).dtype(), image));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dz = gradients.get(0);
            return Arrays.asList(
                    dz == null
                            ? null
                            : node.graph()
                                    .add(new MaxPool2dGather(window), dz, node.input(1))
                                    .output(0),
                    null);
        }
    }

    /** From an image and the positions of maxima of another: the image's elements at those places. */
    record MaxPool2dGather(Window window) implements Pool {
        @Override
        public List<Type> infer(List<Type> inputs) {
            check(inputs);
            check(window, inputs.get(0).shape(), inputs.get(1).shape());
            return List.of(new Type(inputs.get(0).dtype(), inputs.get(1).shape()));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dy = gradients.get(0);
            Op op = new MaxPool2dGrad(window, node.input(0).shape());
            return Arrays.asList(
                    dy == null ? null : node.graph().add(op, dy, node.input(1)).output(0), null);
        }
    }

    /** The mean over each window; padded cells count as zeros. */
    record AvgPool2d(Window window) implements Pool {
        @Override
        public List<Type> infer(List<Type> inputs) {
            check(inputs);
            return List.of(
                    new Type(inputs.get(0).dtype(), window.output(inputs.get(0).shape())));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dy = gradients.get(0);
            Op op = new AvgPool2dGrad(window, node.input(0).shape());
            return dy == null
                    ? Collections.singletonList(null)
                    : List.of(node.graph().add(op, dy).output(0));
        }
    }

    /** From dy: each spread evenly over its window in an image of shape {@code image}. */
    record AvgPool2dGrad(Window window, Shape image) implements Pool {
        @Override
        public List<Type> infer(List<Type> inputs) {
            check(inputs);
            check(window, image, inputs.get(0).shape());
            return List.of(new Type(inputs.get(0).dtype(), image));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dz = gradients.get(0);
            return dz == null
                    ? Collections.singletonList(null)
                    : List.of(node.graph().add(new AvgPool2d(window), dz).output(0));
        }
    }

    private static void check(List<Type> inputs) {
        boolean positions = inputs.size() < 2 || inputs.get(1).dtype() == DType.U8;
        if (!inputs.get(0).dtype().floating() || !positions) {
            throw new KingfisherException("Pooling takes floating images, and positions in U8, not " + inputs + ".");
        }
    }

    private static void check(Window window, Shape image, Shape output) {
        if (!window.output(image).equals(output)) {
            throw new KingfisherException(
                    "Pooling an image " + image + " with the window " + window + " has no output " + output + ".");
        }
    }
}
