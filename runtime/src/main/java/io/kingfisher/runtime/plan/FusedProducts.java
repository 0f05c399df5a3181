package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.passes.Passes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Products that do more while they are stored: a forward product applies the activation behind it; the product that gives the
 * gradient behind an activation multiplies it by the activation's slope; and a product that makes or reads the gradient of a
 * sum with a bias adds that up to the bias's gradient. Values are seen through reshapes. Nothing that somebody else reads is
 * lost: where a value before an activation is read for more than a ReLU's sign, it stays or the product is left as it is.
 */
public final class FusedProducts {
    /** Larger expressions are left as they are. */
    private static final int MOST_PARTS = 200;

    /** Whose columns, or for the left factor rows, are added up. */
    public enum Summed {
        NOTHING,
        RESULT,
        LEFT,
        RIGHT
    }

    /**
     * A product with what is done to it.
     *
     * @param bias what is added to each row first, or null
     * @param activation what is done then, or null
     * @param gradient whether the product is multiplied by the activation's slope at {@code before} instead
     * @param before the value before the activation, where there is one
     * @param keeps for a forward product: whether the gradients' products need what it leaves, a ReLU's signs or
     *     {@code before} itself
     * @param result the value that the product makes
     * @param biasGradient the sums of {@code summed}, or null
     */
    public record Fused(
            Node product,
            Value bias,
            Activation activation,
            boolean gradient,
            Value before,
            boolean keeps,
            Value result,
            Summed summed,
            Value biasGradient) {

        static Fused plain(Node product) {
            return new Fused(product, null, null, false, null, false, product.output(0), Summed.NOTHING, null);
        }

        Fused with(Summed side, Value sums) {
            return new Fused(product, bias, activation, gradient, before, keeps, result, side, sums);
        }

        Fused keeping(boolean kept) {
            return new Fused(product, bias, activation, gradient, before, kept, result, summed, biasGradient);
        }
    }

    /** A node and the value that it reads, which may be another one reshaped. */
    private record Reader(Node node, Value value) {}

    private final Fusion fusion;
    private final Epilogues biases;
    private final Predicate<Fused> takes;
    private final Set<Value> results;
    private final Set<Node> last;
    private final Set<Node> elsewhere = new HashSet<>();
    private final java.util.Map<Value, List<Reader>> readers = new HashMap<>();
    private final java.util.Map<Value, List<Value>> names = new HashMap<>();

    private final java.util.Map<Node, Fused> products = new HashMap<>();
    private final Set<Node> made = new HashSet<>();
    /** Values that do not exist, by all their names. */
    private final Set<Value> absent = new HashSet<>();
    /** For each name of what was before a ReLU, the ReLU's result. */
    private final java.util.Map<Value, Value> removed = new HashMap<>();

    /** @param takes whether the device has such a product */
    public FusedProducts(List<Node> nodes, Graph graph, Fusion fusion, Epilogues biases, Predicate<Fused> takes) {
        this.fusion = fusion;
        this.biases = biases;
        this.takes = takes;
        this.results = Passes.results(graph);
        this.last = new HashSet<>(fusion.last());
        elsewhere.addAll(last);
        for (Node node : nodes) {
            if (fusion.absorbed(node)) {
                elsewhere.add(node);
            }
            for (Value output : node.outputs()) {
                names.computeIfAbsent(root(output), _ -> new ArrayList<>()).add(output);
            }
            if (!another(node)) {
                for (Value input : Set.copyOf(node.inputs())) {
                    readers.computeIfAbsent(root(input), _ -> new ArrayList<>()).add(new Reader(node, input));
                }
            }
        }
        nodes.stream().filter(FusedProducts::product).forEach(this::forward);
        nodes.stream()
                .filter(node -> product(node) && !products.containsKey(node))
                .forEach(this::wide);
        nodes.stream().filter(FusedProducts::product).forEach(this::sums);
    }

    /** A matrix times its own transposed is left to who computes half of it. */
    private static boolean product(Node node) {
        return node.op() instanceof MatMul
                && node.input(0) != node.input(1)
                && node.inputs().stream().allMatch(input -> input.shape().elements() > 0);
    }

    /** Whether a node's value is that of its input by another name: reshaped, or plus a bias that is in it already. */
    private boolean another(Node node) {
        return switch (node.op()) {
            case Movement.Reshape _ -> true;
            case Map map -> {
                Epilogues.Fused fused = biases.rewrite(map.results(), node.inputs());
                yield fused.exprs().equals(List.of(Expr.arg(0)))
                        && fused.inputs().get(0).type().equals(node.output(0).type());
            }
            default -> false;
        };
    }

    private Value root(Value value) {
        Value root = value;
        while (another(root.node())) {
            root = root.node().op() instanceof Map map
                    ? biases.rewrite(map.results(), root.node().inputs())
                            .inputs()
                            .get(0)
                    : root.node().input(0);
        }
        return root;
    }

    private boolean leaves(Value root) {
        return names.get(root).stream().anyMatch(results::contains);
    }

    /** A node's single expression without biases, of the values that it reads; null for others. */
    private Epilogues.Fused expression(Node node) {
        if (!(node.op() instanceof Map map) || map.results().size() != 1 || elsewhere.contains(node)) {
            return null;
        }
        Epilogues.Fused fused = biases.rewrite(map.results(), node.inputs());
        return Exprs.ordered(fused.exprs()).size() <= MOST_PARTS ? fused : null;
    }

    /**
     * Makes a product of 16 bits that is only read in an F32 sum with a bias that sum itself: libraries add to a result of 16
     * bits none but a bias of 16 bits, which would be rounded.
     */
    private void wide(Node node) {
        Value before = node.output(0);
        List<Reader> all = readers.getOrDefault(before, List.of());
        Epilogues.Fused read =
                before.dtype().half() && all.size() == 1 && !leaves(before) ? expression(all.get(0).node) : null;
        if (read == null || read.inputs().size() != 2) {
            return;
        }
        Value value = all.get(0).value, sum = all.get(0).node.output(0);
        int x = read.inputs().indexOf(value);
        Value bias = read.inputs().get(1 - x);
        Expr e = read.exprs().get(0);
        boolean adds =
                e.equals(Expr.arg(0).add(Expr.arg(1))) || e.equals(Expr.arg(1).add(Expr.arg(0)));
        if (adds
                && sum.dtype() == DType.F32
                && sum.shape().elements() == before.shape().elements()
                && value.dim(-1) == before.dim(-1)
                && Epilogues.perChannel(bias, value, DType.F32)) {
            Fused fused = new Fused(node, bias, null, false, before, false, sum, Summed.NOTHING, null);
            if (takes.test(fused)) {
                take(fused);
                absent.addAll(names.get(before));
            }
        }
    }

    private void forward(Node node) {
        Value before = node.output(0);
        for (Reader reader : readers.getOrDefault(before, List.of())) {
            Epilogues.Fused read = expression(reader.node);
            if (read == null || read.inputs().size() != 1 || !same(reader.node.output(0), before)) {
                continue;
            }
            for (Activation activation : Activation.values()) {
                if (read.exprs().get(0).equals(activation.of(0)) && !products.containsKey(node)) {
                    fuse(new Fused(
                            node,
                            biases.bias(before),
                            activation,
                            false,
                            before,
                            false,
                            reader.node.output(0),
                            Summed.NOTHING,
                            null));
                }
            }
        }
    }

    /** Whether two values have the same type but for the way in which the elements are counted. */
    private static boolean same(Value a, Value b) {
        return a.dtype() == b.dtype() && a.shape().elements() == b.shape().elements();
    }

    private void fuse(Fused forward) {
        Value before = forward.before();
        List<Reader> others = readers.get(before).stream()
                .filter(reader -> reader.node != forward.result().node())
                .toList();
        List<Fused> gradients = new ArrayList<>();
        for (Reader reader : others) {
            Fused gradient = gradient(forward, reader);
            if (gradient != null) {
                gradients.add(gradient);
            }
        }
        boolean relu = forward.activation() == Activation.RELU;
        if (relu && (leaves(before) || !others.stream().allMatch(reader -> signOnly(reader, forward)))) {
            return;
        }
        Fused kept = forward.keeping(relu ? !gradients.isEmpty() : !others.isEmpty() || leaves(before));
        if (!takes.test(kept)) {
            if (!relu || gradients.isEmpty() || !takes.test(forward)) {
                return;
            }
            // Without the signs the gradients ask the result.
            kept = forward;
            gradients.clear();
        }
        take(kept);
        if (relu) {
            names.get(before).forEach(name -> removed.put(name, forward.result()));
        }
        if (relu || !kept.keeps()) {
            absent.addAll(names.get(before));
        }
        for (Fused gradient : gradients) {
            take(gradient);
            absent.addAll(names.get(gradient.product().output(0)));
        }
    }

    private void take(Fused fused) {
        products.put(fused.product(), fused);
        made.add(fused.result().node());
    }

    /** The product that can multiply by the slope, where a reader of the value before an activation does just that. */
    private Fused gradient(Fused forward, Reader reader) {
        Epilogues.Fused read = expression(reader.node);
        int x = read == null ? -1 : read.inputs().indexOf(reader.value);
        if (x < 0 || read.inputs().size() != 2) {
            return null;
        }
        Value behind = root(read.inputs().get(1 - x));
        Node product = behind.node();
        boolean fits = product(product)
                && !products.containsKey(product)
                && product != forward.product()
                && product.id() > forward.product().id()
                && readers.get(behind).size() == 1
                && !leaves(behind)
                && biases.bias(behind) == null
                && same(behind, forward.before())
                && same(reader.node.output(0), forward.before())
                && behind.dim(-1) == forward.before().dim(-1)
                && read.exprs().get(0).equals(forward.activation().gradient(x, 1 - x));
        if (!fits) {
            return null;
        }
        Fused gradient = new Fused(
                product,
                null,
                forward.activation(),
                true,
                forward.before(),
                false,
                reader.node.output(0),
                Summed.NOTHING,
                null);
        return takes.test(gradient) ? gradient : null;
    }

    /** Whether a reader needs no more of the value before a ReLU than the ReLU's result has. */
    private boolean signOnly(Reader reader, Fused forward) {
        if (!(reader.node.op() instanceof Map map)
                || Exprs.ordered(map.results()).size() > MOST_PARTS
                || !reader.value.shape().equals(forward.result().shape())) {
            return false;
        }
        Epilogues.Fused read = biases.rewrite(map.results(), reader.node.inputs());
        return !replaced(read, reader.value, forward.result()).inputs().contains(reader.value);
    }

    /** Expressions that ask a ReLU's result for the sign of what it was made of. */
    private static Epilogues.Fused replaced(Epilogues.Fused read, Value before, Value result) {
        int x = read.inputs().indexOf(before);
        int made = read.inputs().size();
        Expr function = Activation.RELU.of(x);
        return x < 0
                ? read
                : read.replacing(
                        e -> e.equals(function) ? Expr.arg(made) : e.equals(negative(x)) ? negative(made) : null,
                        result);
    }

    private static Expr negative(int x) {
        return Expr.arg(x).lessOrEqual(Expr.of(0));
    }

    /** Looks for a bias's gradient that a product can add up. */
    private void sums(Node node) {
        Fused fused = products.get(node);
        if (fused != null) {
            if (fused.gradient() && fused.result().dim(-1) == node.output(0).dim(-1)) {
                sums(fused, fused.result(), Summed.RESULT);
            }
            return;
        }
        MatMul op = (MatMul) node.op();
        if (biases.bias(node.output(0)) == null && node.output(0).rank() == 2) {
            // The factor whose rows, as it lies in memory, are what the product sums over.
            if (op.transposeA() && sums(Fused.plain(node), node.input(0), Summed.LEFT)) {
                return;
            }
            if (!op.transposeB()) {
                sums(Fused.plain(node), node.input(1), Summed.RIGHT);
            }
        }
    }

    private boolean sums(Fused fused, Value value, Summed side) {
        for (Reader reader : readers.getOrDefault(root(value), List.of())) {
            Node sum = reader.node;
            if (!columns(sum, value) || made.contains(sum) || !waits(sum.output(0), fused.product())) {
                continue;
            }
            Fused more = fused.with(side, sum.output(0));
            if (takes.test(more)) {
                products.put(fused.product(), more);
                made.add(sum);
                return true;
            }
        }
        return false;
    }

    /** Whether a node adds up a value, or one with its elements, over all axes but the last and does nothing else. */
    private boolean columns(Node node, Value value) {
        if (!(node.op() instanceof Reduce op) || op.kind() != Reduce.Kind.SUM) {
            return false;
        }
        Fusion.Reduction reduction = fusion.reduction(node);
        Shape shape = reduction.shape();
        return reduction.expr().equals(Expr.arg(0))
                && root(reduction.inputs().get(0)) == root(value)
                && reduction.inputs().get(0).shape().equals(shape)
                && op.axes().equals(IntStream.range(0, shape.rank() - 1).boxed().toList())
                && shape.dim(-1) == value.dim(-1)
                && node.output(0).dtype() == value.dtype();
    }

    /** Whether nobody needs a value before a product has been computed. */
    private boolean waits(Value sum, Node product) {
        return readers.getOrDefault(sum, List.of()).stream()
                        .allMatch(reader -> reader.node.id() > product.id() || last.contains(reader.node))
                && names.get(sum).stream()
                        .allMatch(name -> name == sum || name.node().id() > product.id());
    }

    /** What a product makes; null for one that makes its own value alone, perhaps with a bias. */
    public Fused of(Node product) {
        return products.get(product);
    }

    /** Whether a node has nothing to compute: a product makes its value, or its value does not exist. */
    public boolean made(Node node) {
        return made.contains(node) || another(node) && absent.contains(node.output(0));
    }

    /** Expressions, already without the biases in their arguments, that read no value that does not exist. */
    public Epilogues.Fused rewrite(Epilogues.Fused read) {
        Epilogues.Fused result = read;
        for (Value input : read.inputs()) {
            if (removed.containsKey(input)) {
                result = replaced(result, input, removed.get(input));
            }
        }
        return result;
    }
}
