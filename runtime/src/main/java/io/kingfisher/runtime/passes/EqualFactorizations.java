package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes one batched op of Cholesky factorizations, of eigendecompositions and of triangular solves that are of one shape and
 * do not wait for each other, for devices on which a single small matrix leaves most of the hardware idle.
 */
public final class EqualFactorizations extends Rewrite {
    /** Matrices with more rows are work enough for a device, and routines for batches are made for small ones. */
    static final long MOST_ROWS = 1024;

    /**
     * What members of a batch have in common.
     *
     * @param level how many factorizations in a row come before: who waits for another has a higher one
     * @param matrices the last two extents of each operand
     */
    private record Key(Op op, int level, DType dtype, List<Shape> matrices) {}

    /** Some of the matrices of a batch. */
    private record Part(Value batch, long from, long to) {}

    private final Map<Node, Integer> levels = new HashMap<>();
    private final Map<Key, List<Node>> batches = new LinkedHashMap<>();
    private final Map<Value, Part> parts = new HashMap<>();

    private EqualFactorizations() {}

    /** The same graph with batches; the graph itself where there is nothing to put together. */
    public static Graph together(Graph source) {
        var pass = new EqualFactorizations();
        List<Node> nodes = needed(source);
        nodes.forEach(pass::place);
        return pass.batches.values().stream().allMatch(batch -> batch.size() == 1)
                ? source
                : pass.apply(source, pass.order(nodes));
    }

    private void place(Node node) {
        int level = 0;
        for (Value input : node.inputs()) {
            int before = levels.get(input.node());
            level = Math.max(level, joins(input.node()) ? before + 1 : before);
        }
        levels.put(node, level);
        if (joins(node)) {
            batches.computeIfAbsent(key(node), _ -> new ArrayList<>()).add(node);
        }
    }

    private static boolean joins(Node node) {
        return switch (node.op()) {
            case LinearAlgebra.Cholesky _, LinearAlgebra.Eigh _, LinearAlgebra.TriangularSolve _ ->
                node.input(0).dim(-1) <= MOST_ROWS
                        && node.inputs().stream()
                                .allMatch(input -> input.shape().elements() > 0);
            default -> false;
        };
    }

    private Key key(Node node) {
        return new Key(
                node.op(),
                levels.get(node),
                node.input(0).dtype(),
                node.inputs().stream()
                        .map(input -> input.shape().slice(input.rank() - 2, input.rank()))
                        .toList());
    }

    /** Within a level whatever factorizations read comes first. */
    private List<Node> order(List<Node> nodes) {
        return nodes.stream()
                .sorted(Comparator.<Node>comparingInt(levels::get)
                        .thenComparing(EqualFactorizations::joins)
                        .thenComparingInt(Node::id))
                .toList();
    }

    @Override
    protected List<Value> rewrite(Node node, List<Value> inputs) {
        if (node.op() instanceof Source.Bound(var tensor)) {
            return List.of(target.read(tensor));
        }
        List<Node> members = joins(node) ? batches.get(key(node)) : List.of(node);
        if (members.size() == 1) {
            return target.add(node.op(), inputs).outputs();
        }
        if (members.getFirst() == node) {
            batch(members);
        }
        return List.of();
    }

    /** Records a batch and what each member gets of it. */
    private void batch(List<Node> members) {
        Node first = members.getFirst();
        List<Value> operands = new ArrayList<>();
        for (int i = 0; i < first.inputs().size(); i++) {
            int operand = i;
            operands.add(joined(
                    members.stream().map(node -> replaced(node.input(operand))).toList()));
        }
        List<Value> results;
        try (Graph.Scope _ = target.scope(first.scope() + " and " + (members.size() - 1) + " of its shape")) {
            results = target.add(first.op(), operands).outputs();
        }
        long from = 0;
        for (Node member : members) {
            long to = from + matrices(member.input(0));
            for (Value output : member.outputs()) {
                Value batch = results.get(output.index());
                Value own = batch.slice(0, from, to).reshape(output.shape());
                parts.put(own, new Part(batch, from, to));
                replace(output, own);
            }
            from = to;
        }
    }

    private static long matrices(Value value) {
        return value.shape().slice(0, value.rank() - 2).elements();
    }

    /** Matrices one behind the other: the batch itself where it is taken apart only to be put together again. */
    private Value joined(List<Value> values) {
        Part start = parts.get(values.getFirst());
        if (start != null) {
            long next = 0;
            for (Value value : values) {
                Part part = parts.get(value);
                next = part != null && part.batch() == start.batch() && part.from() == next ? part.to() : -1;
            }
            if (next == start.batch().dim(0)) {
                return start.batch();
            }
        }
        return target.concat(
                0,
                values.stream()
                        .map(value -> value.reshape(
                                Shape.of(matrices(value)).concat(value.shape().slice(value.rank() - 2, value.rank()))))
                        .toList());
    }
}
