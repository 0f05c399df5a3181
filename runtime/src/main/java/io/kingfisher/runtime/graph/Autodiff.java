package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Differentiation as a transformation of graphs: gradients are values recorded in the same graph and can be differentiated
 * again.
 */
public final class Autodiff {
    private Autodiff() {}

    /** The gradients of a scalar with respect to values, parameters or intermediate results alike. */
    public static List<Value> gradients(Value loss, List<Value> with) {
        if (loss.shape().elements() != 1) {
            throw new KingfisherException("Only a scalar has gradients, not " + loss.type()
                    + "; sum or average it, or use vjp with a gradient of its shape.");
        }
        return vjp(List.of(loss), List.of(loss.graph().ones(loss.dtype(), loss.shape())), with);
    }

    /**
     * The vector-Jacobian product: the gradients of {@code sum_k <seeds[k], results[k]>} with respect to values; zeros for a
     * value that the results do not depend on.
     */
    public static List<Value> vjp(List<Value> results, List<Value> seeds, List<Value> with) {
        expect("seeds", seeds, results.size());
        List<Value> found = backward(results, seeds, with, 0);
        List<Value> gradients = new ArrayList<>();
        for (int i = 0; i < with.size(); i++) {
            Value value = with.get(i);
            gradients.add(found.get(i) != null ? found.get(i) : value.graph().zeros(value.dtype(), value.shape()));
        }
        return gradients;
    }

    /**
     * The Jacobian-vector product: how the results change when each value moves along its tangent. As the vector-Jacobian
     * product is linear in its seed, its own vector-Jacobian product with respect to the seed is this one.
     */
    public static List<Value> jvp(List<Value> results, List<Value> with, List<Value> tangents) {
        expect("tangents", tangents, with.size());
        List<Value> seeds = new ArrayList<>();
        for (Value result : results) {
            seeds.add(result.graph().zeros(result.dtype(), result.shape()));
        }
        List<Value> pulled = backward(results, seeds, with, 0);
        List<Value> reached = new ArrayList<>(), along = new ArrayList<>();
        for (int i = 0; i < with.size(); i++) {
            if (pulled.get(i) != null) {
                reached.add(pulled.get(i));
                along.add(tangents.get(i));
            }
        }
        return vjp(reached, along, seeds);
    }

    /** The product of the Hessian of a scalar with a vector that has one part for each value. */
    public static List<Value> hessianVectorProduct(Value loss, List<Value> with, List<Value> vector) {
        expect("parts of the vector", vector, with.size());
        return vjp(gradients(loss, with), vector, with);
    }

    /**
     * The product of the generalised Gauss-Newton matrix J^T H J with a vector (Schraudolph, 2002), where J is the Jacobian
     * of {@code outputs} and H the Hessian of {@code loss} with respect to them.
     */
    public static List<Value> gaussNewtonVectorProduct(
            Value loss, List<Value> outputs, List<Value> with, List<Value> vector) {
        List<Value> moved = jvp(outputs, with, vector);
        return vjp(outputs, hessianVectorProduct(loss, outputs, moved), with);
    }

    /** A fused op's vector-Jacobian product through what it expands into. */
    static List<Value> throughExpansion(Fused op, Node node, List<Value> gradients) {
        List<Value> results = new ArrayList<>(), seeds = new ArrayList<>();
        int first = node.graph().nodes().size();
        List<Value> expanded = op.expand(node.inputs());
        for (int i = 0; i < expanded.size(); i++) {
            if (gradients.get(i) != null) {
                results.add(expanded.get(i));
                seeds.add(gradients.get(i));
            }
        }
        // Only what has just been recorded counts: how the inputs depend on each other is not this node's affair.
        List<Value> found = backward(results, seeds, node.inputs(), first);
        // What is found for a value is all of it: a value that is several operands has it once.
        Set<Value> seen = new HashSet<>();
        for (int i = 0; i < found.size(); i++) {
            if (!seen.add(node.input(i))) {
                found.set(i, null);
            }
        }
        return found;
    }

    private static void expect(String what, List<Value> values, int count) {
        if (values.size() != count) {
            throw new KingfisherException(
                    "There must be as many " + what + " as values, " + count + ", not " + values.size() + ".");
        }
    }

    /** Reverse accumulation over the nodes from {@code first} on; null for a value that is not reached. */
    private static List<Value> backward(List<Value> results, List<Value> seeds, List<Value> with, int first) {
        java.util.Map<Value, List<Value>> adjoints = new HashMap<>();
        Set<Value> dependent = new HashSet<>(with);
        if (results.isEmpty()) {
            return new ArrayList<>(java.util.Collections.nCopies(with.size(), null));
        }
        Graph graph = results.get(0).graph();
        int last = -1;
        for (int i = 0; i < results.size(); i++) {
            Value result = results.get(i), seed = seeds.get(i);
            if (!seed.type().equals(result.type()) || !result.dtype().floating()) {
                throw new KingfisherException("The seed of a gradient has the floating type of what is differentiated, "
                        + result.type() + ", not " + seed.type() + ".");
            }
            adjoints.computeIfAbsent(result, _ -> new ArrayList<>()).add(seed);
            last = Math.max(last, result.node().id());
        }
        List<Node> forward = List.copyOf(graph.nodes().subList(Math.min(first, last + 1), last + 1));
        for (Node node : forward) {
            if (node.inputs().stream().anyMatch(dependent::contains)) {
                dependent.addAll(node.outputs());
            }
        }
        for (int i = forward.size() - 1; i >= 0; i--) {
            Node node = forward.get(i);
            if (node.inputs().stream().noneMatch(dependent::contains)) {
                continue;
            }
            List<Value> gradients = new ArrayList<>();
            boolean reached = false;
            for (Value output : node.outputs()) {
                Value adjoint = total(adjoints, output);
                gradients.add(adjoint);
                reached |= adjoint != null;
            }
            if (!reached) {
                continue;
            }
            List<Value> pulled;
            try (Graph.Scope _ = graph.scope(node.scope())) {
                pulled = node.op().vjp(node, gradients);
            }
            for (int k = 0; k < node.inputs().size(); k++) {
                Value input = node.input(k);
                if (pulled.get(k) != null && dependent.contains(input)) {
                    adjoints.computeIfAbsent(input, _ -> new ArrayList<>()).add(pulled.get(k));
                }
            }
        }
        List<Value> found = new ArrayList<>();
        for (Value value : with) {
            found.add(total(adjoints, value));
        }
        return found;
    }

    /** The sum of a value's contributions, recorded once. */
    private static Value total(java.util.Map<Value, List<Value>> adjoints, Value value) {
        List<Value> parts = adjoints.get(value);
        if (parts == null) {
            return null;
        }
        if (parts.size() > 1) {
            List<Value> all = List.copyOf(parts);
            Value sum =
                    Movement.Concat.ofPads(all).orElseGet(() -> value.graph().sum(all));
            parts.clear();
            parts.add(sum);
        }
        return parts.get(0);
    }
}
