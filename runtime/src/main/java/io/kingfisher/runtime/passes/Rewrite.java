package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Copies the nodes that outputs and assignments need into a new graph; what becomes of a node is up to subclasses. */
abstract class Rewrite {
    /** The graph being written. */
    protected final Graph target = new Graph();

    private final Map<Value, Value> values = new HashMap<>();

    /** What replaces the outputs of a node of the old graph, given what replaces its inputs. */
    protected abstract List<Value> rewrite(Node node, List<Value> inputs);

    protected Value replaced(Value value) {
        return values.get(value);
    }

    final Graph apply(Graph source) {
        return apply(source, needed(source));
    }

    final Graph apply(Graph source, List<Node> order) {
        source.inputs().forEach((name, value) -> values.put(value, target.input(name, value.type())));
        for (Node node : order) {
            if (node.op() instanceof Source.Input) {
                continue;
            }
            try (Graph.Scope _ = target.scope(node.scope())) {
                List<Value> results =
                        rewrite(node, node.inputs().stream().map(values::get).toList());
                for (int i = 0; i < results.size(); i++) {
                    values.put(node.output(i), results.get(i));
                }
            }
        }
        source.outputs().forEach((name, value) -> target.output(name, values.get(value)));
        source.assignments().forEach((tensor, value) -> target.assignElements(tensor, unshaped(values.get(value))));
        return target;
    }

    /** A tensor takes elements whatever their shape, so what computes them need not wait for a reshape. */
    private static Value unshaped(Value value) {
        Value result = value;
        while (result.node().op() instanceof Movement.Reshape) {
            result = result.node().input(0);
        }
        return result;
    }

    /** Notes what replaces a value, where {@link #rewrite} is asked about its node at another time. */
    protected void replace(Value old, Value replacement) {
        values.put(old, replacement);
    }

    /** The nodes that outputs and assignments depend on, in the order of recording. */
    static List<Node> needed(Graph graph) {
        Set<Node> needed = new HashSet<>();
        results(graph).forEach(value -> needed.add(value.node()));
        List<Node> order = new ArrayList<>();
        for (Node node : graph.nodes().reversed()) {
            if (needed.contains(node)) {
                node.inputs().forEach(value -> needed.add(value.node()));
                order.add(node);
            }
        }
        return order.reversed();
    }

    /** The values that leave the graph. */
    static Set<Value> results(Graph graph) {
        Set<Value> results = new HashSet<>(graph.outputs().values());
        results.addAll(graph.assignments().values());
        return results;
    }

    /** The nodes that read each value, once for each time that they do. */
    static Map<Value, List<Node>> consumers(List<Node> nodes) {
        Map<Value, List<Node>> consumers = new HashMap<>();
        for (Node node : nodes) {
            for (Value input : node.inputs()) {
                consumers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node);
            }
        }
        return consumers;
    }
}
