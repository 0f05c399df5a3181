package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.Passes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Biases that convolutions and products add themselves: where every reader of a product is elementwise and reads it only in
 * the sum with one and the same bias, the product is made with the bias in it.
 */
public final class Epilogues {
    private final java.util.Map<Value, Value> biases = new HashMap<>();

    /** Expressions with the arguments that they read. */
    public record Fused(List<Expr> exprs, List<Value> inputs) {
        /**
         * The same with some parts replaced, of what arguments are still read.
         *
         * @param replacement of a part, null where it stays; {@code more} is the argument behind the last
         */
        public Fused replacing(UnaryOperator<Expr> replacement, Value... more) {
            java.util.Map<Expr, Expr> done = new IdentityHashMap<>();
            for (Expr e : Exprs.ordered(exprs)) {
                Expr other = replacement.apply(e);
                done.put(
                        e,
                        other != null
                                ? other
                                : switch (e) {
                                    case Expr.Arg _, Expr.Const _ -> e;
                                    case Expr.Unary(Expr.UnaryOp op, Expr x) -> Expr.unary(op, done.get(x));
                                    case Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) ->
                                        Expr.binary(op, done.get(a), done.get(b));
                                    case Expr.Select(Expr c, Expr a, Expr b) ->
                                        Expr.select(done.get(c), done.get(a), done.get(b));
                                });
            }
            List<Value> all = new ArrayList<>(inputs);
            all.addAll(List.of(more));
            return of(exprs.stream().map(done::get).toList(), all);
        }

        /** Expressions of the values that they read, each once. */
        private static Fused of(List<Expr> exprs, List<Value> values) {
            var read = Exprs.arguments(exprs);
            List<Value> kept = new ArrayList<>();
            int[] index = new int[values.size()];
            for (int i = read.nextSetBit(0); i >= 0; i = read.nextSetBit(i + 1)) {
                int known = kept.indexOf(values.get(i));
                index[i] = known >= 0 ? known : kept.size();
                if (known < 0) {
                    kept.add(values.get(i));
                }
            }
            return new Fused(Exprs.substitute(exprs, i -> Expr.arg(index[i])), kept);
        }
    }

    /**
     * Looks for biases.
     *
     * @param takesBias whether the device can add a bias while it computes a convolution or a product
     */
    public Epilogues(List<Node> nodes, Graph graph, Predicate<Node> takesBias) {
        java.util.Map<Value, List<Node>> readers = new HashMap<>();
        nodes.forEach(node -> node.inputs()
                .forEach(input ->
                        readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node)));
        Set<Value> results = Passes.results(graph);
        for (Node node : nodes) {
            boolean product = (node.op() instanceof Conv2d || node.op() instanceof MatMul)
                    && node.inputs().stream().allMatch(input -> input.shape().elements() > 0);
            Value value = node.output(0);
            if (product && takesBias.test(node) && !results.contains(value) && readers.containsKey(value)) {
                Value bias = common(value, readers.get(value));
                if (bias != null) {
                    biases.put(value, bias);
                }
            }
        }
    }

    /** The bias that all readers add; null where there is none. */
    private static Value common(Value product, List<Node> readers) {
        Value bias = null;
        for (Node reader : readers) {
            if (!(reader.op() instanceof Map map)
                    || reader.output(0).shape().elements() != product.shape().elements()) {
                return null;
            }
            Value added = added(product, map.results(), reader.inputs());
            if (added == null || (bias != null && bias != added)) {
                return null;
            }
            bias = added;
        }
        return bias;
    }

    /** What expressions add to the product wherever they read it; null where that is not one bias. */
    private static Value added(Value product, List<Expr> exprs, List<Value> inputs) {
        int argument = inputs.indexOf(product);
        int other = -1;
        for (Expr e : Exprs.ordered(exprs)) {
            List<Expr> parts = switch (e) {
                case Expr.Unary(Expr.UnaryOp _, Expr x) -> List.of(x);
                case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> List.of(a, b);
                case Expr.Select(Expr c, Expr a, Expr b) -> List.of(c, a, b);
                case Expr.Arg _, Expr.Const _ -> List.<Expr>of();
            };
            if (!parts.contains(Expr.arg(argument))) {
                continue;
            }
            if (!(e instanceof Expr.Binary(Expr.BinaryOp op, Expr a, Expr b)) || op != Expr.BinaryOp.ADD) {
                return null;
            }
            Expr second = a.equals(Expr.arg(argument)) ? b : a;
            if (!(second instanceof Expr.Arg(int index)) || index == argument || (other >= 0 && other != index)) {
                return null;
            }
            other = index;
        }
        boolean bare = exprs.contains(Expr.arg(argument));
        return other < 0 || bare || !perChannel(inputs.get(other), product, product.dtype()) ? null : inputs.get(other);
    }

    /** Whether a value is a parameter of a type with one number for each of the product's channels or columns. */
    static boolean perChannel(Value bias, Value product, DType dtype) {
        int axis = product.node().op() instanceof Conv2d ? 1 : product.rank() - 1;
        int lead = product.rank() - bias.rank();
        boolean fits = bias.dtype() == dtype && lead >= 0 && axis >= lead;
        for (int i = 0; fits && i < bias.rank(); i++) {
            fits = bias.dim(i) == (i + lead == axis ? product.dim(axis) : 1);
        }
        Node root = bias.node();
        while (root.op() instanceof Movement.Reshape) {
            root = root.input(0).node();
        }
        return fits && root.op() instanceof Source;
    }

    /** The bias that a product's value holds; null where it holds none. */
    public Value bias(Value product) {
        return biases.get(product);
    }

    /** Expressions that do not add what their arguments hold already. */
    public Fused rewrite(List<Expr> exprs, List<Value> inputs) {
        if (inputs.stream().noneMatch(biases::containsKey)) {
            return new Fused(exprs, inputs);
        }
        return new Fused(exprs, inputs)
                .replacing(e -> e instanceof Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) && op == Expr.BinaryOp.ADD
                        ? biased(a, b, inputs)
                        : null);
    }

    /** The argument that is a sum already, where two arguments are a product and its bias. */
    private Expr biased(Expr a, Expr b, List<Value> inputs) {
        if (a instanceof Expr.Arg(int i) && b instanceof Expr.Arg(int j)) {
            if (biases.get(inputs.get(i)) == inputs.get(j) && i != j) {
                return a;
            }
            return biases.get(inputs.get(j)) == inputs.get(i) && i != j ? b : null;
        }
        return null;
    }
}
