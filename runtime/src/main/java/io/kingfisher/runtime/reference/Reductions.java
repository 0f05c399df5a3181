package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import java.util.Arrays;

/** Sums and extrema over axes. */
final class Reductions {
    private Reductions() {}

    static double[] run(Reduce op, Node node, double[] x) {
        Shape in = node.input(0).shape(), out = node.output(0).shape();
        double[] y = Movements.zeros(out);
        Arrays.fill(
                y,
                switch (op.kind()) {
                    case SUM -> 0;
                    case MAX -> Double.NEGATIVE_INFINITY;
                    case MIN -> Double.POSITIVE_INFINITY;
                });
        long[] outer = out.strides(), strides = new long[in.rank()];
        for (int i = 0, kept = 0; i < in.rank(); i++) {
            strides[i] = op.axes().contains(i) ? 0 : outer[kept++];
        }
        int[] next = {0};
        Strided.forEachRow(in, 0, strides, (at, stride, count) -> {
            int from = next[0];
            for (int i = 0; i < count; i++) {
                int to = at + i * stride;
                double v = x[from + i];
                y[to] = switch (op.kind()) {
                    case SUM -> y[to] + v;
                    case MAX -> Math.max(y[to], v);
                    case MIN -> Math.min(y[to], v);
                };
            }
            next[0] = from + count;
        });
        return y;
    }
}
