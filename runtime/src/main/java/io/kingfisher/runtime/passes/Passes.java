package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Set;

/** All rewrites, in the order in which they help each other. */
public final class Passes {
    private Passes() {}

    /**
     * A new graph with the same inputs, outputs and assignments: without nodes that nothing needs, repeated nodes,
     * reshapes of reshapes, broadcasts before elementwise operations and constants that can be folded, and with elementwise
     * neighbours fused.
     */
    public static Graph optimize(Graph graph) {
        Graph simple = new Simplify().apply(graph);
        Graph inlined = new Inline(simple).apply(simple);
        Graph merged = new Merge(inlined).apply();
        // Inlining leaves repeated and unneeded nodes behind.
        return new Simplify().apply(merged);
    }

    /** The nodes that outputs and assignments depend on, in the order of recording. */
    public static List<Node> needed(Graph graph) {
        return Rewrite.needed(graph);
    }

    /** The values that leave the graph: outputs and what is assigned. */
    public static Set<Value> results(Graph graph) {
        return Rewrite.results(graph);
    }
}
