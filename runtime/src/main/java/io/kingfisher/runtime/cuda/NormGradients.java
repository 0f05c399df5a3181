package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Activation;
import io.kingfisher.runtime.plan.Epilogues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * Gradients of batch norms behind which there was a ReLU: they take the gradient behind the ReLU, and pass over it what was
 * not positive while they read it. Where somebody else reads the gradient before the ReLU too, as a residual does, they write
 * it.
 */
final class NormGradients {
    /**
     * A batch norm's gradient with what is done while it reads.
     *
     * @param relu the node that is not computed, as the norm's gradient does it
     * @param sign a value that is positive where the ReLU let something through
     * @param dy the gradient behind the ReLU
     * @param kept whether others read the gradient before it
     */
    record Masked(Node norm, Node relu, Value sign, Value dy, boolean kept) {
        Value before() {
            return relu.output(0);
        }
    }

    private final java.util.Map<Node, Masked> byNorm = new HashMap<>();
    private final Set<Node> made = new HashSet<>();

    /**
     * Looks for them.
     *
     * @param fixed values that must be computed by their own nodes
     * @param last nodes that run after all others
     * @param existing rewrites expressions to read what exists
     */
    NormGradients(
            List<Node> nodes,
            Set<Value> fixed,
            Set<Node> last,
            BiFunction<List<Expr>, List<Value>, Epilogues.Fused> existing) {
        java.util.Map<Value, List<Node>> readers = new HashMap<>();
        nodes.forEach(node -> Set.copyOf(node.inputs())
                .forEach(input ->
                        readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node)));
        for (Node norm : nodes) {
            if (!(norm.op() instanceof BatchNormGrad)) {
                continue;
            }
            Node relu = norm.input(4).node();
            if (!(relu.op() instanceof Map map)
                    || map.results().size() != 1
                    || map.results().get(0) instanceof Expr.Arg
                    || fixed.contains(relu.output(0))
                    || made.contains(relu)) {
                continue;
            }
            Epilogues.Fused read = existing.apply(map.results(), relu.inputs());
            List<Node> others = readers.get(relu.output(0)).stream()
                    .filter(node -> node != norm)
                    .toList();
            boolean later = others.stream().allMatch(node -> node.id() > norm.id() || last.contains(node));
            boolean alone = norm.inputs().indexOf(relu.output(0)) == 4;
            for (int x = 0; x < 2 && later && alone && read.inputs().size() == 2; x++) {
                if (read.exprs().get(0).equals(Activation.RELU.gradient(x, 1 - x)) && same(read.inputs(), relu)) {
                    Value sign = read.inputs().get(x), dy = read.inputs().get(1 - x);
                    byNorm.put(norm, new Masked(norm, relu, sign, dy, !others.isEmpty()));
                    made.add(relu);
                }
            }
        }
    }

    private static boolean same(List<Value> inputs, Node relu) {
        return inputs.stream()
                .allMatch(input -> input.type().equals(relu.output(0).type()));
    }

    /** What is done with a batch norm's gradient; null for others. */
    Masked of(Node norm) {
        return byNorm.get(norm);
    }

    /** Whether a node's value is made by a batch norm's gradient, if anybody needs it. */
    boolean made(Node node) {
        return made.contains(node);
    }
}
