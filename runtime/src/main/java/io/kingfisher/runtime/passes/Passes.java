package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.graph.Graph;

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
}
