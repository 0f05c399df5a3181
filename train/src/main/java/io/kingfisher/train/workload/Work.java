package io.kingfisher.train.workload;

import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a program cannot do without.
 *
 * @param flop multiplications and additions of all matrix products and convolutions, two for each pair of factors
 * @param bytes operands and results of these, read or written once, and every assigned tensor, read and written once
 */
public record Work(double flop, double bytes) {
    /** The work of what a graph's outputs and assignments need. */
    public static Work of(Graph graph) {
        double flop = 0, bytes = 0;
        for (Node node : needed(graph)) {
            double own = flop(node);
            if (own > 0) {
                flop += own;
                bytes += size(node.inputs()) + size(node.outputs());
            }
        }
        for (var tensor : graph.assignments().keySet()) {
            bytes += 2.0 * tensor.bytes();
        }
        return new Work(flop, bytes);
    }

    private static Set<Node> needed(Graph graph) {
        Set<Node> seen = new HashSet<>();
        Deque<Node> open = new ArrayDeque<>();
        graph.outputs().values().forEach(value -> open.add(value.node()));
        graph.assignments().values().forEach(value -> open.add(value.node()));
        while (!open.isEmpty()) {
            Node node = open.pop();
            if (seen.add(node)) {
                node.inputs().forEach(value -> open.add(value.node()));
            }
        }
        return seen;
    }

    private static double flop(Node node) {
        return switch (node.op()) {
            case MatMul(boolean transposeA, boolean _) ->
                2.0 * node.output(0).shape().elements() * node.input(0).dim(transposeA ? -2 : -1);
            // Each output takes a patch of the input times the weight; both gradients are the same sums in another
            // order.
            case Conv2d _ ->
                2.0 * node.output(0).shape().elements() * patch(node.input(1).type());
            case Conv2dInputGrad _ ->
                2.0 * node.input(0).shape().elements() * patch(node.input(1).type());
            case Conv2dWeightGrad _ ->
                2.0 * node.input(1).shape().elements() * patch(node.output(0).type());
            default -> 0;
        };
    }

    /** The factors that one output of a convolution sums. */
    private static double patch(Type weight) {
        return (double) weight.shape().elements() / Math.max(1, weight.shape().dim(0));
    }

    private static double size(List<Value> values) {
        double bytes = 0;
        for (Value value : values) {
            bytes += (double) value.shape().elements() * value.dtype().bytes();
        }
        return bytes;
    }
}
