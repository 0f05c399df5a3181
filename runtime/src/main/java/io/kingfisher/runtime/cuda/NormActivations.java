package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Epilogues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Set;

/**
 * Batch norms whose result is read through one ReLU only, perhaps with a residual added before: they make the ReLU's result
 * in the pass that normalises. What asks for the sign of the normalised value, as gradients do, asks the ReLU's result.
 */
final class NormActivations {
    /** Larger expressions are left as they are. */
    private static final int MOST_PARTS = 200;

    /**
     * A batch norm with what follows.
     *
     * @param relu the node whose result it makes
     * @param residual what is added before, or null
     */
    record Activated(Node norm, Node relu, Value residual) {
        Value normalised() {
            return norm.output(0);
        }

        Value result() {
            return relu.output(0);
        }
    }

    private final java.util.Map<Node, Activated> byNorm = new HashMap<>();
    private final java.util.Map<Node, Activated> byRelu = new HashMap<>();
    private final java.util.Map<Value, Activated> byValue = new HashMap<>();

    private final Set<Node> last;

    /**
     * Looks for them.
     *
     * @param fixed values that must exist as they are: outputs, what is assigned, and what is computed elsewhere
     * @param last nodes that run after all others
     */
    NormActivations(List<Node> nodes, Set<Value> fixed, Set<Node> last) {
        this.last = last;
        java.util.Map<Value, List<Node>> readers = new HashMap<>();
        nodes.forEach(node -> Set.copyOf(node.inputs())
                .forEach(input ->
                        readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node)));
        for (Node node : nodes) {
            if (node.op() instanceof BatchNorm && !fixed.contains(node.output(0))) {
                Activated found = find(node, readers, fixed);
                if (found != null) {
                    byNorm.put(node, found);
                    byRelu.put(found.relu, found);
                    byValue.put(found.normalised(), found);
                }
            }
        }
    }

    private Activated find(Node norm, java.util.Map<Value, List<Node>> readers, Set<Value> fixed) {
        List<Node> all = readers.getOrDefault(norm.output(0), List.of());
        for (Node reader : all) {
            Activated candidate = candidate(norm, reader);
            if (candidate == null || byRelu.containsKey(reader) || fixed.contains(reader.output(0))) {
                continue;
            }
            boolean fits = all.stream()
                    .allMatch(other -> other.id() >= reader.id()
                            && other.op() instanceof Map map
                            && Exprs.ordered(map.results()).size() <= MOST_PARTS
                            && (other == reader || removed(candidate, map.results(), other.inputs())));
            // The norm runs where the ReLU was: nobody may need its statistics before.
            for (int i = 1; i <= 2; i++) {
                fits &= readers.getOrDefault(norm.output(i), List.of()).stream()
                        .allMatch(other -> other.id() > reader.id() || last.contains(other));
            }
            if (fits) {
                return candidate;
            }
        }
        return null;
    }

    /** A node that is max(y, 0) or max(y + residual, 0) and nothing else. */
    private static Activated candidate(Node norm, Node reader) {
        Value y = norm.output(0);
        if (!(reader.op() instanceof Map map)
                || map.results().size() != 1
                || !reader.output(0).type().equals(y.type())
                || reader.inputs().size() > 2
                || reader.inputs().stream().anyMatch(input -> !input.type().equals(y.type()))) {
            return null;
        }
        Expr root = map.results().get(0);
        int at = reader.inputs().indexOf(y);
        if (reader.inputs().size() == 1) {
            return root.equals(relu(Expr.arg(0))) ? new Activated(norm, reader, null) : null;
        }
        Value residual = reader.input(1 - at);
        boolean sum = root.equals(relu(sum(0, 1))) || root.equals(relu(sum(1, 0)));
        return sum && residual != y ? new Activated(norm, reader, residual) : null;
    }

    private static Expr relu(Expr of) {
        return Expr.select(negative(of), Expr.of(0), of);
    }

    private static Expr negative(Expr of) {
        return Expr.binary(BinaryOp.LE, of, Expr.of(0));
    }

    private static Expr sum(int a, int b) {
        return Expr.binary(BinaryOp.ADD, Expr.arg(a), Expr.arg(b));
    }

    /** Whether an expression reads nothing of the normalised value but the ReLU's result and its sign. */
    private static boolean removed(Activated activated, List<Expr> exprs, List<Value> inputs) {
        return !replaced(activated, exprs, inputs).inputs().contains(activated.normalised());
    }

    /** The same with the ReLU's result instead of what it is computed from. */
    private static Epilogues.Fused replaced(Activated activated, List<Expr> exprs, List<Value> inputs) {
        int y = inputs.indexOf(activated.normalised());
        int r = activated.residual == null ? -1 : inputs.indexOf(activated.residual);
        if (y < 0 || activated.residual != null && r < 0) {
            return new Epilogues.Fused(exprs, inputs);
        }
        List<Expr> sums = activated.residual == null ? List.of(Expr.arg(y)) : List.of(sum(y, r), sum(r, y));
        Expr result = Expr.arg(inputs.size());
        return new Epilogues.Fused(exprs, inputs)
                .replacing(
                        e -> {
                            Expr same = null;
                            for (Expr sum : sums) {
                                same = e.equals(relu(sum)) ? result : e.equals(negative(sum)) ? negative(result) : same;
                            }
                            return same;
                        },
                        activated.result());
    }

    /** The batch norm of a node that is made elsewhere, as {@link #made} says; null for others. */
    Activated waits(Node norm) {
        return byNorm.get(norm);
    }

    /** What is made where a node was; null for other nodes. */
    Activated made(Node relu) {
        return byRelu.get(relu);
    }

    /** Expressions that read no value that does not exist. */
    Epilogues.Fused rewrite(List<Expr> exprs, List<Value> inputs) {
        Epilogues.Fused result = new Epilogues.Fused(exprs, inputs);
        for (Value input : inputs) {
            Activated activated = byValue.get(input);
            if (activated != null) {
                result = replaced(activated, result.exprs(), result.inputs());
            }
        }
        return result;
    }
}
