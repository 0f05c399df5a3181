package io.kingfisher.runtime.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** One operation of a graph with the values that it takes and makes. */
public final class Node {
    private final Graph graph;
    private final int id;
    private final Op op;
    private final List<Value> inputs;
    private final List<Value> outputs;
    private final String scope;

    Node(Graph graph, int id, Op op, List<Value> inputs, String scope) {
        this.graph = graph;
        this.id = id;
        this.op = op;
        this.inputs = List.copyOf(inputs);
        this.scope = scope;
        List<Type> types = op.infer(this.inputs.stream().map(Value::type).toList());
        List<Value> values = new ArrayList<>(types.size());
        for (Type type : types) {
            values.add(new Value(this, values.size(), type));
        }
        this.outputs = List.copyOf(values);
    }

    public Graph graph() {
        return graph;
    }

    /** The position in the graph: a node's inputs have smaller ids. */
    public int id() {
        return id;
    }

    public Op op() {
        return op;
    }

    public List<Value> inputs() {
        return inputs;
    }

    public Value input(int index) {
        return inputs.get(index);
    }

    public List<Value> outputs() {
        return outputs;
    }

    public Value output(int index) {
        return outputs.get(index);
    }

    /** The path of the layer that recorded the node, empty outside layers. */
    public String scope() {
        return scope;
    }

    /** Whether this is part of a {@link Graph#curvature}. */
    public boolean curvature() {
        return scope.startsWith(Graph.CURVATURE);
    }

    @Override
    public String toString() {
        return outputs.stream().map(Value::toString).collect(Collectors.joining(", ")) + " = " + op
                + inputs.stream().map(v -> "%" + v.node().id()).collect(Collectors.joining(", ", " (", ")"))
                + (scope.isEmpty() ? "" : " in " + scope);
    }
}
