package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import java.util.List;

/** Ops that place elements elsewhere. */
final class Movements {
    private Movements() {}

    static double[] run(Movement op, Node node, double[][] in) {
        Shape out = node.output(0).shape();
        double[] x = in[0];
        Shape shape = node.input(0).shape();
        return switch (op) {
            case Movement.Reshape _ -> x;
            case Movement.Broadcast _ -> broadcast(x, shape, out);
            case Movement.Transpose(List<Integer> order) -> transpose(x, shape, order, out);
            case Movement.Slice(List<Long> starts, List<Long> _) ->
                Strided.read(x, out, offset(starts, shape), shape.strides());
            case Movement.Pad(List<Long> before, List<Long> _) -> {
                double[] y = zeros(out);
                Strided.write(x, y, shape, offset(before, out), out.strides());
                yield y;
            }
            case Movement.Concat(int axis) -> {
                double[] y = zeros(out);
                long offset = 0;
                for (int i = 0; i < in.length; i++) {
                    Shape part = node.input(i).shape();
                    Strided.write(in[i], y, part, offset, out.strides());
                    offset += part.dim(axis) * out.strides()[part.axis(axis)];
                }
                yield y;
            }
        };
    }

    static double[] broadcast(double[] x, Shape from, Shape to) {
        if (from.equals(to)) {
            return x;
        }
        long[] inner = from.strides(), strides = new long[to.rank()];
        int lead = to.rank() - from.rank();
        for (int i = 0; i < from.rank(); i++) {
            strides[lead + i] = from.dim(i) == 1 ? 0 : inner[i];
        }
        return Strided.read(x, to, 0, strides);
    }

    private static double[] transpose(double[] x, Shape from, List<Integer> order, Shape to) {
        long[] inner = from.strides();
        long[] strides = order.stream().mapToLong(axis -> inner[axis]).toArray();
        return Strided.read(x, to, 0, strides);
    }

    private static long offset(List<Long> starts, Shape shape) {
        long[] strides = shape.strides();
        long offset = 0;
        for (int i = 0; i < strides.length; i++) {
            offset += starts.get(i) * strides[i];
        }
        return offset;
    }

    static double[] zeros(Shape shape) {
        return new double[Math.toIntExact(shape.elements())];
    }
}
