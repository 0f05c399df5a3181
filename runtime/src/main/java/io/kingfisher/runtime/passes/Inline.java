package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Puts elementwise producers into the elementwise ops that read them, where nothing else reads them or computing them again
 * costs less than storing them.
 */
final class Inline extends Rewrite {
    private final java.util.Map<Value, List<Node>> consumers;
    private final Set<Value> results;

    Inline(Graph source) {
        consumers = consumers(needed(source));
        results = results(source);
    }

    @Override
    protected List<Value> rewrite(Node node, List<Value> inputs) {
        return switch (node.op()) {
            case Source.Bound(var tensor) -> List.of(target.read(tensor));
            case Map map -> map(node, map, inputs);
            default -> target.add(node.op(), inputs).outputs();
        };
    }

    private List<Value> map(Node node, Map map, List<Value> inputs) {
        List<Expr> exprs = map.results();
        List<Value> operands = new ArrayList<>(inputs);
        for (int i = 0; i < inputs.size(); i++) {
            Value x = inputs.get(i);
            if (!candidate(node, i) || !(x.node().op() instanceof Map producer) || producer.shape() != null) {
                continue;
            }
            List<Value> wider = new ArrayList<>(operands);
            int first = wider.size();
            wider.addAll(x.node().inputs());
            Expr inner = Exprs.substitute(producer.results().get(x.index()), j -> Expr.arg(first + j));
            int argument = i;
            List<Expr> candidate = Exprs.substitute(exprs, j -> j == argument ? inner : Expr.arg(j));
            int count = (int) Exprs.arguments(candidate).stream()
                    .mapToObj(wider::get)
                    .distinct()
                    .count();
            boolean slows =
                    Costs.scalar(candidate) && !Costs.scalar(exprs) && x.shape().elements() > 1;
            if (!slows && Costs.of(candidate) <= Costs.MOST && count + exprs.size() <= Costs.MOST_OPERANDS) {
                exprs = candidate;
                operands = wider;
            }
        }
        return compact(exprs, map, operands, node);
    }

    /** Whether an input may be inlined: never what leaves the graph, is converted, or is larger work for each element. */
    private boolean candidate(Node node, int i) {
        Value x = node.input(i);
        if (!(x.node().op() instanceof Map map) || results.contains(x) || !Costs.unconverted(x)) {
            return false;
        }
        boolean cheap = Costs.of(List.of(map.results().get(x.index()))) <= Costs.CHEAP;
        boolean only = consumers.get(x).stream().distinct().count() == 1
                && map.results().size() == 1;
        boolean same = x.shape().equals(node.output(0).shape());
        boolean scalar = x.shape().elements() == 1;
        // The result's shape must not come from this input alone.
        return Costs.compute(node) == x.dtype()
                && (same || scalar)
                && (cheap || (only && same))
                && consumers.get(x).stream().allMatch(consumer -> consumer.op() instanceof Map || cheap && scalar);
    }

    /** A map of the operands that its expressions still read. */
    private List<Value> compact(List<Expr> exprs, Map map, List<Value> operands, Node node) {
        List<Value> kept = new ArrayList<>();
        int[] index = new int[operands.size()];
        Exprs.arguments(exprs).stream().forEach(i -> {
            int at = kept.indexOf(operands.get(i));
            index[i] = at < 0 ? kept.size() : at;
            if (at < 0) {
                kept.add(operands.get(i));
            }
        });
        Map op = new Map(
                Exprs.substitute(exprs, i -> Expr.arg(index[i])), map.dtypes(), kept.isEmpty() ? map.shape() : null);
        List<Type> types = kept.stream().map(Value::type).toList();
        // Without its F64 inputs a map would compute in F32: integers that went by way of F64 would lose digits.
        boolean same = !kept.isEmpty()
                && op.computeType(types) == Costs.compute(node)
                && op.infer(types)
                        .equals(node.outputs().stream().map(Value::type).toList());
        if (!same) {
            return target.add(map, node.inputs().stream().map(this::replaced).toList())
                    .outputs();
        }
        return target.add(op, kept).outputs();
    }
}
