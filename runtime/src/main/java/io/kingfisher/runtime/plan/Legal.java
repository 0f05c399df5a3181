package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Fused;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/** Rewrites a graph into ops and types that a device computes well: before all other passes. */
public final class Legal {
    /** What a device wants. */
    public interface Rules {
        /** Whether a node's fused op is to be written with simpler ones. */
        boolean expands(Fused op, Node node);

        /** Whether a node takes operands of 16 bits as they are; others get F32 and their results are converted back. */
        boolean takesHalves(Node node);
    }

    private final Rules rules;
    private final Graph target = new Graph();
    private final java.util.Map<Value, Value> values = new HashMap<>();

    private boolean expanded;

    private Legal(Rules rules) {
        this.rules = rules;
    }

    public static Graph of(Graph source, Rules rules) {
        Legal pass = new Legal(rules);
        Graph result = pass.copy(source);
        // What a fused op expands to may have fused ops in it.
        return pass.expanded ? of(result, rules) : result;
    }

    private Graph copy(Graph source) {
        source.inputs().forEach((name, value) -> values.put(value, target.input(name, value.type())));
        for (Node node : source.nodes()) {
            if (node.op() instanceof Source.Input) {
                continue;
            }
            try (Graph.Scope _ = target.scope(node.scope())) {
                List<Value> inputs = node.inputs().stream().map(values::get).toList();
                List<Value> outputs = outputs(node, inputs);
                for (int i = 0; i < outputs.size(); i++) {
                    values.put(node.output(i), outputs.get(i));
                }
            }
        }
        source.outputs().forEach((name, value) -> target.output(name, values.get(value)));
        source.assignments().forEach((tensor, value) -> target.assignElements(tensor, values.get(value)));
        return target;
    }

    private List<Value> outputs(Node node, List<Value> inputs) {
        if (node.op() instanceof Source.Bound(var tensor)) {
            return List.of(target.read(tensor));
        }
        if (node.op() instanceof Fused fused && rules.expands(fused, node)) {
            expanded = true;
            return expanded(fused, node, inputs);
        }
        if (halves(inputs) && !rules.takesHalves(node)) {
            return inSingle(node, inputs);
        }
        return target.add(node.op(), inputs).outputs();
    }

    private static boolean halves(List<Value> values) {
        return values.stream().anyMatch(value -> value.dtype().half());
    }

    private static Value widened(Value value) {
        return value.dtype().half() ? value.cast(DType.F32) : value;
    }

    /** Where the device has the op only in single precision, so are the parts of it. */
    private List<Value> expanded(Fused op, Node node, List<Value> inputs) {
        if (!halves(inputs) || rules.takesHalves(node)) {
            return op.expand(inputs);
        }
        return narrowed(node, op.expand(inputs.stream().map(Legal::widened).toList()));
    }

    private List<Value> inSingle(Node node, List<Value> inputs) {
        return narrowed(
                node,
                target.add(node.op(), inputs.stream().map(Legal::widened).toList())
                        .outputs());
    }

    /** Results in the types that a node's have. */
    private static List<Value> narrowed(Node node, List<Value> wide) {
        List<Value> results = new ArrayList<>();
        for (Value value : wide) {
            DType dtype = node.output(results.size()).dtype();
            results.add(value.dtype() == dtype ? value : value.cast(dtype));
        }
        return results;
    }
}
