package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Makes one op with several results of elementwise ops that read each other's stored results over the same elements, such as
 * the moments of an optimizer and the update that they lead to.
 */
final class Merge extends Rewrite {
    private final Graph source;
    private final List<Node> nodes;
    private final java.util.Map<Value, List<Node>> consumers;
    private final Set<Value> results;
    /** The nodes that become one with each elementwise node, in order. */
    private final java.util.Map<Node, List<Node>> clusters = new HashMap<>();

    Merge(Graph source) {
        this.source = source;
        this.nodes = needed(source);
        this.consumers = consumers(nodes);
        this.results = results(source);
    }

    Graph apply() {
        for (Node node : nodes) {
            if (node.op() instanceof Map) {
                clusters.put(node, List.of(node));
                for (Value input : node.inputs()) {
                    join(input, node);
                }
            }
        }
        return apply(source, order());
    }

    private void join(Value input, Node node) {
        List<Node> producer = clusters.get(input.node()), own = clusters.get(node);
        // What reductions compute while they read is not to be stored.
        boolean fits = producer != null
                && producer != own
                && !Fusion.absorbs(node.output(0), consumers, results)
                && Costs.unconverted(input)
                && Costs.compute(node) == input.dtype()
                && input.shape().equals(node.output(0).shape())
                && ((Map) node.op()).shape() == null
                && ((Map) input.node().op()).shape() == null;
        if (!fits) {
            return;
        }
        List<Node> joined = new ArrayList<>(producer);
        joined.addAll(own);
        joined.sort(Comparator.comparingInt(Node::id));
        if (small(joined) && keepsType(joined) && !detour(joined)) {
            joined.forEach(member -> clusters.put(member, joined));
        }
    }

    private boolean small(List<Node> members) {
        Set<Value> operands = new HashSet<>();
        int cost = 0, stored = 0;
        for (Node member : members) {
            cost += Costs.of(((Map) member.op()).results());
            stored += member.outputs().size();
            member.inputs().stream().filter(x -> !members.contains(x.node())).forEach(operands::add);
        }
        boolean mixed = members.stream()
                        .map(member -> Costs.scalar(((Map) member.op()).results()))
                        .distinct()
                        .count()
                > 1;
        return !mixed && cost <= Costs.MOST && operands.size() + stored <= Costs.MOST_OPERANDS;
    }

    /** Whether a member that computes in F64 still would: one that only passed through F64 inside would not. */
    private boolean keepsType(List<Node> members) {
        boolean wide = members.stream()
                .anyMatch(member -> member.inputs().stream()
                                .anyMatch(x -> x.dtype() == DType.F64 && !members.contains(x.node()))
                        || member.outputs().stream().anyMatch(x -> x.dtype() == DType.F64 && leaves(x, members)));
        return wide || members.stream().allMatch(member -> Costs.compute(member) != DType.F64);
    }

    private boolean leaves(Value output, List<Node> members) {
        return results.contains(output)
                || consumers.getOrDefault(output, List.of()).stream().anyMatch(n -> !members.contains(n));
    }

    /** Whether something outside reads one member and leads to another. */
    private boolean detour(List<Node> members) {
        Set<Node> inside = new HashSet<>(members), seen = new HashSet<>();
        ArrayDeque<Node> open = new ArrayDeque<>();
        members.forEach(member ->
                readers(member).stream().filter(n -> !inside.contains(n)).forEach(open::add));
        while (!open.isEmpty()) {
            Node node = open.pop();
            // Whoever becomes one with a node is reached with it.
            for (Node same : clusters.getOrDefault(node, List.of(node))) {
                if (inside.contains(same)) {
                    return true;
                }
                if (seen.add(same)) {
                    open.addAll(readers(same));
                }
            }
        }
        return false;
    }

    private List<Node> readers(Node node) {
        List<Node> readers = new ArrayList<>();
        node.outputs().forEach(value -> readers.addAll(consumers.getOrDefault(value, List.of())));
        return readers;
    }

    /** An order in which every node comes after what all members of its cluster read, as close to the old one as can be. */
    private List<Node> order() {
        java.util.Map<Node, Integer> missing = new HashMap<>();
        PriorityQueue<Node> ready = new PriorityQueue<>(Comparator.comparingInt(Node::id));
        for (Node node : nodes) {
            Node leader = leader(node);
            int inputs = (int) node.inputs().stream()
                    .filter(x -> leader(x.node()) != leader)
                    .count();
            missing.merge(leader, inputs, Integer::sum);
        }
        missing.forEach((leader, count) -> {
            if (count == 0) {
                ready.add(leader);
            }
        });
        List<Node> order = new ArrayList<>();
        while (!ready.isEmpty()) {
            Node leader = ready.poll();
            order.add(leader);
            for (Node member : clusters.getOrDefault(leader, List.of(leader))) {
                for (Node reader : readers(member)) {
                    Node next = leader(reader);
                    if (next != leader && missing.merge(next, -1, Integer::sum) == 0) {
                        ready.add(next);
                    }
                }
            }
        }
        return order;
    }

    /** The last of a node's cluster, which stands for all of it. */
    private Node leader(Node node) {
        return clusters.getOrDefault(node, List.of(node)).getLast();
    }

    @Override
    protected List<Value> rewrite(Node node, List<Value> inputs) {
        if (node.op() instanceof Source.Bound(var tensor)) {
            return List.of(target.read(tensor));
        }
        List<Node> members = clusters.getOrDefault(node, List.of(node));
        if (members.size() == 1) {
            return target.add(node.op(), inputs).outputs();
        }
        List<Value> operands = new ArrayList<>();
        java.util.Map<Value, Expr> exprs = new HashMap<>();
        List<Value> stored = new ArrayList<>();
        for (Node member : members) {
            Map map = (Map) member.op();
            List<Expr> own = Exprs.substitute(map.results(), i -> {
                Value x = member.input(i);
                if (exprs.containsKey(x)) {
                    return exprs.get(x);
                }
                Value replaced = replaced(x);
                int at = operands.indexOf(replaced);
                if (at < 0) {
                    operands.add(replaced);
                }
                return Expr.arg(at < 0 ? operands.size() - 1 : at);
            });
            // An operand that no expression reads gives the result its shape.
            for (Value x : member.inputs()) {
                if (!exprs.containsKey(x) && !operands.contains(replaced(x))) {
                    operands.add(replaced(x));
                }
            }
            for (Value output : member.outputs()) {
                exprs.put(output, own.get(output.index()));
                if (leaves(output, members)) {
                    stored.add(output);
                }
            }
        }
        Map merged = new Map(
                stored.stream().map(exprs::get).toList(),
                stored.stream().map(Value::dtype).toList(),
                null);
        List<Value> made = target.add(merged, operands).outputs();
        for (int i = 0; i < stored.size(); i++) {
            replace(stored.get(i), made.get(i));
        }
        return List.of();
    }
}
