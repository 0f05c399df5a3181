package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * What some values of a graph depend on, recorded again in another graph with other sources. Assignments are not copied, and
 * random numbers are the same as long as their state is.
 */
final class GraphCopy {
    private final Graph to;
    private final Function<Source, Value> sources;
    private final Map<Value, Value> copies = new IdentityHashMap<>();

    /**
     * @param sources what stands for an input or a tensor that the host or other programs change
     */
    GraphCopy(Graph to, Function<Source, Value> sources) {
        this.to = to;
        this.sources = sources;
    }

    Value of(Value value) {
        Map<Integer, Node> needed = new TreeMap<>();
        Deque<Value> open = new ArrayDeque<>();
        open.push(value);
        while (!open.isEmpty()) {
            Value next = open.pop();
            if (!copies.containsKey(next) && needed.putIfAbsent(next.node().id(), next.node()) == null) {
                next.node().inputs().forEach(open::push);
            }
        }
        needed.values().forEach(this::copy);
        return copies.get(value);
    }

    private void copy(Node node) {
        if (node.op() instanceof Source.Input || node.op() instanceof Source.Bound) {
            copies.put(node.output(0), sources.apply((Source) node.op()));
            return;
        }
        try (Graph.Scope _ = to.scope(node.scope())) {
            Node copy =
                    to.add(node.op(), node.inputs().stream().map(copies::get).toList());
            for (int i = 0; i < node.outputs().size(); i++) {
                copies.put(node.output(i), copy.output(i));
            }
        }
    }
}
