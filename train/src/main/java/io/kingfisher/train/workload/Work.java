package io.kingfisher.train.workload;

import io.kingfisher.runtime.graph.Flops;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
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
            double own = Flops.of(node);
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

    private static double size(List<Value> values) {
        double bytes = 0;
        for (Value value : values) {
            bytes += (double) value.shape().elements() * value.dtype().bytes();
        }
        return bytes;
    }
}
