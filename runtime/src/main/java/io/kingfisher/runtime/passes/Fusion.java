package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a device with generated loops does together although the graph has several nodes for it: elementwise ops that only
 * reductions read are computed while reducing, and elementwise ops that nothing waits for run at the end as one.
 */
public final class Fusion {
    /**
     * A reduction of an expression.
     *
     * @param inputs the expression's arguments, which broadcast to {@code shape}
     * @param shape the shape that is reduced
     */
    public record Reduction(Reduce op, Expr expr, List<Value> inputs, Shape shape, DType dtype) {}

    private final java.util.Map<Node, Reduction> reductions = new HashMap<>();
    private final Set<Node> absorbed = new HashSet<>();
    private final List<Node> last;

    private Fusion(Graph graph) {
        List<Node> nodes = Rewrite.needed(graph);
        java.util.Map<Value, List<Node>> consumers = Rewrite.consumers(nodes);
        Set<Value> results = Rewrite.results(graph);
        for (Node node : nodes) {
            if (node.op() instanceof Reduce op) {
                Value x = node.input(0);
                boolean fuse = absorbs(x, consumers, results);
                reductions.put(
                        node,
                        fuse
                                ? new Reduction(
                                        op,
                                        ((Map) x.node().op()).results().get(0),
                                        x.node().inputs(),
                                        x.shape(),
                                        x.dtype())
                                : new Reduction(op, Expr.arg(0), List.of(x), x.shape(), x.dtype()));
                if (fuse) {
                    absorbed.add(x.node());
                }
            }
        }
        List<Node> ends = nodes.stream()
                .filter(node -> node.op() instanceof Map
                        && node.outputs().stream().noneMatch(consumers::containsKey)
                        && node.output(0).shape().elements() > 0)
                .toList();
        last = ends.size() > 1 ? ends : List.of();
    }

    public static Fusion of(Graph graph) {
        return new Fusion(graph);
    }

    /** Whether the reductions that read an elementwise value are to compute it. */
    static boolean absorbs(Value x, java.util.Map<Value, List<Node>> consumers, Set<Value> results) {
        if (!(x.node().op() instanceof Map map)
                || map.results().size() != 1
                || x.node().inputs().isEmpty()
                || results.contains(x)
                || !Costs.unconverted(x)
                || Costs.scalar(map.results())) {
            return false;
        }
        List<Node> readers = consumers.get(x);
        int cost = Costs.of(map.results());
        return readers.stream().allMatch(reader -> reader.op() instanceof Reduce)
                && (readers.size() == 1 ? cost <= 60 : cost * readers.size() <= 3 * Costs.CHEAP);
    }

    /** Whether an elementwise node is computed by the reductions that read it, so that its value need not exist. */
    public boolean absorbed(Node node) {
        return absorbed.contains(node);
    }

    /** How to compute a {@link Reduce} node. */
    public Reduction reduction(Node reduce) {
        return reductions.get(reduce);
    }

    /** Elementwise nodes that no node reads: to run after all others, as one; empty where there are fewer than two. */
    public List<Node> last() {
        return last;
    }
}
