package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelPlan;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Epilogues;
import io.kingfisher.runtime.plan.FusedProducts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Our own kernels. */
final class Loops {
    private final Assembly assembly;
    private final Epilogues epilogues;
    private final FusedProducts products;
    private final NormActivations activations;
    /** Values that end in a tensor or an output, which are row-major. */
    private final Set<Value> results;

    private final Set<Value> channelsLast;

    /** {@code channelsLast} are values that everybody wants to read with their channels last. */
    Loops(
            Assembly assembly,
            Epilogues epilogues,
            FusedProducts products,
            NormActivations activations,
            Set<Value> results,
            Set<Value> channelsLast) {
        this.assembly = assembly;
        this.epilogues = epilogues;
        this.products = products;
        this.activations = activations;
        this.results = results;
        this.channelsLast = channelsLast;
    }

    /** An elementwise node with its operands. */
    private record Prepared(
            String what, Elementwise map, List<Buffer> reads, List<Buffer> writes, List<List<Buffer>> replaceable) {}

    /** A batch norm with the ReLU that follows. */
    private void norm(NormActivations.Activated activated) {
        Node norm = activated.norm();
        Layout layout = assembly.primary(norm.input(0)).layout();
        List<Value> inputs = new ArrayList<>(norm.inputs());
        if (activated.residual() != null) {
            inputs.add(activated.residual());
        }
        List<Value> results = List.of(activated.result(), norm.output(1), norm.output(2));
        String what = assembly.describe(norm)
                + (activated.residual() == null ? "" : " plus " + activated.residual())
                + ", then ReLU to " + activated.result();
        launch(
                what,
                norm,
                inputs,
                x -> images(x, layout),
                results,
                layout,
                (from, to) -> assembly.engine()
                        .batchNorm((BatchNorm) norm.op(), true, activated.residual() != null, from, to));
    }

    /** Images in a layout; what is no image is row-major. */
    private static Layout images(Value value, Layout layout) {
        return value.rank() == 4 ? layout : Layout.PLAIN;
    }

    /** A kernel's launch; {@code layout} is that of the images that it makes. */
    private void launch(
            String what,
            Node node,
            List<Value> inputs,
            Function<Value, Layout> wanted,
            List<Value> results,
            Layout layout,
            BiFunction<List<View>, List<View>, KernelPlan> kernel) {
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        List<View> from = new ArrayList<>(), to = new ArrayList<>();
        for (Value input : inputs) {
            reads.add(assembly.in(input, wanted.apply(input)));
            from.add(wanted.apply(input).view(input.type()));
        }
        for (Value result : results) {
            to.add(images(result, layout).view(result.type()));
        }
        KernelPlan plan = kernel.apply(from, to);
        if (plan == null) {
            throw new KingfisherException("There is no CUDA kernel for " + node + ".");
        }
        for (Value result : results) {
            writes.add(assembly.define(result, images(result, layout)));
        }
        assembly.launch(what, node.scope(), plan, reads, writes, java.util.Map.of());
    }

    void map(Map op, Node node) {
        NormActivations.Activated activated = activations.made(node);
        if (activated != null) {
            norm(activated);
            return;
        }
        Prepared one = prepare(op, node);
        if (one != null) {
            assembly.launch(
                    one.what,
                    node.scope(),
                    assembly.engine().map(one.map),
                    one.reads,
                    one.writes,
                    replaceable(one, List.of(one)));
        }
    }

    /** Elementwise nodes that do not need each other's results, in one launch. */
    void together(List<Node> nodes) {
        List<Prepared> all = new ArrayList<>();
        for (Node node : nodes) {
            Prepared one = prepare((Map) node.op(), node);
            if (one != null) {
                all.add(one);
            }
        }
        if (all.isEmpty()) {
            return;
        }
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>(), operands = new ArrayList<>();
        java.util.Map<Buffer, List<Buffer>> replaceable = new HashMap<>();
        StringBuilder what = new StringBuilder();
        for (Prepared one : all) {
            reads.addAll(one.reads);
            writes.addAll(one.writes);
            operands.addAll(one.reads);
            operands.addAll(one.writes);
            replaceable.putAll(replaceable(one, all));
            what.append(what.isEmpty() ? "Together: " : "; ").append(one.what);
        }
        KernelPlan plan =
                assembly.engine().together(all.stream().map(Prepared::map).toList());
        assembly.launch(what.toString(), "", plan, reads, writes, replaceable, operands);
    }

    /** For each result the operands that it may overwrite: not those that another of the launch's maps reads. */
    private static java.util.Map<Buffer, List<Buffer>> replaceable(Prepared one, List<Prepared> all) {
        java.util.Map<Buffer, List<Buffer>> result = new HashMap<>();
        for (int i = 0; i < one.writes.size(); i++) {
            List<Buffer> own = one.replaceable.get(i).stream()
                    .filter(buffer -> all.stream().noneMatch(other -> other != one && other.reads.contains(buffer)))
                    .toList();
            result.put(one.writes.get(i), own);
        }
        return result;
    }

    /** Expressions of values that exist. */
    Epilogues.Fused existing(List<Expr> exprs, List<Value> inputs) {
        Epilogues.Fused active = activations.rewrite(exprs, inputs);
        return products.rewrite(epilogues.rewrite(active.exprs(), active.inputs()));
    }

    /** What an elementwise node launches; null where the node is another value by another name. */
    private Prepared prepare(Map op, Node node) {
        Epilogues.Fused fused = existing(op.results(), node.inputs());
        List<Value> inputs = fused.inputs();
        if (fused.exprs().equals(List.of(Expr.arg(0)))
                && inputs.get(0).type().equals(node.output(0).type())) {
            assembly.put(node.output(0), assembly.primary(inputs.get(0)));
            return null;
        }
        Shape shape = node.output(0).shape();
        Layout layout = layout(node.outputs(), inputs, shape);
        // A single operand is transposed on the way; so are the gradients of an update, which would be transposed for
        // it alone.
        boolean asTheyLie = inputs.size() == 1 || results.stream().anyMatch(node.outputs()::contains);
        List<Buffer> reads = new ArrayList<>();
        List<View> views = new ArrayList<>();
        for (Value input : inputs) {
            if (input.shape().equals(shape) && !asTheyLie) {
                reads.add(assembly.in(input, layout));
                views.add(layout.view(input.type()));
            } else {
                reads.add(assembly.primary(input).buffer());
                views.add(assembly.view(input));
            }
        }
        List<Buffer> writes = new ArrayList<>();
        List<List<Buffer>> replaceable = new ArrayList<>();
        List<View> outputs = new ArrayList<>();
        for (Value output : node.outputs()) {
            View view = layout.view(output.type());
            outputs.add(view);
            replaceable.add(replaceable(reads, views, view));
            writes.add(assembly.define(output, layout));
        }
        return new Prepared(
                assembly.describe(node), new Elementwise(fused.exprs(), views, outputs), reads, writes, replaceable);
    }

    /** The operands of the result's type each of whose elements is read only for the result's element at its place. */
    private static List<Buffer> replaceable(List<Buffer> reads, List<View> views, View output) {
        List<Buffer> elsewhere = new ArrayList<>();
        for (int i = 0; i < reads.size(); i++) {
            if (!views.get(i).equals(output)) {
                elsewhere.add(reads.get(i));
            }
        }
        return reads.stream().filter(buffer -> !elsewhere.contains(buffer)).toList();
    }

    private Layout layout(List<Value> outputs, List<Value> inputs, Shape shape) {
        if (shape.rank() != 4 || results.stream().anyMatch(outputs::contains)) {
            return Layout.PLAIN;
        }
        boolean last = channelsLast.containsAll(outputs)
                || inputs.stream()
                        .anyMatch(input -> input.shape().equals(shape)
                                && assembly.primary(input).layout() == Layout.CHANNELS_LAST);
        return last ? Layout.CHANNELS_LAST : Layout.PLAIN;
    }

    void reduce(Fusion.Reduction reduction, Node node) {
        Epilogues.Fused fused = existing(List.of(reduction.expr()), reduction.inputs());
        List<Buffer> reads = new ArrayList<>();
        List<View> views = new ArrayList<>();
        for (Value input : fused.inputs()) {
            reads.add(assembly.primary(input).buffer());
            views.add(assembly.view(input));
        }
        String absorbed = reduction.expr() instanceof Expr.Arg
                ? ""
                : " of " + Exprs.ordered(fused.exprs()).size() + " parts of " + fused.inputs();
        KernelPlan plan = assembly.engine()
                .reduce(
                        fused.exprs(),
                        List.of(reduction.op().kind()),
                        reduction.shape(),
                        reduction.op().axes(),
                        views,
                        List.of(View.of(node.output(0).type())));
        String what = assembly.describe(node) + absorbed;
        List<Buffer> writes = List.of(assembly.define(node.output(0), Layout.PLAIN));
        assembly.launch(what, node.scope(), plan, reads, writes, java.util.Map.of());
    }

    /** The gradient of a batch norm with that of the ReLU behind it. */
    void masked(NormGradients.Masked masked) {
        Node norm = masked.norm();
        List<Value> inputs = new ArrayList<>(norm.inputs().subList(0, 4));
        inputs.add(masked.dy());
        inputs.add(masked.sign());
        List<Value> results = new ArrayList<>(norm.outputs());
        if (masked.kept()) {
            results.add(masked.before());
        }
        String what = assembly.describe(norm) + " of " + masked.dy() + " where " + masked.sign() + " is positive"
                + (masked.kept() ? ", kept as " + masked.before() : "");
        Layout layout = kept(norm, inputs);
        launch(
                what,
                norm,
                inputs,
                x -> images(x, layout),
                results,
                layout,
                (from, to) ->
                        assembly.engine().batchNormGrad((BatchNormGrad) norm.op(), true, masked.kept(), from, to));
    }

    /** Any other node by the kernel that we have for its op. */
    void plain(Node node) {
        Op op = node.op();
        boolean any = assembly.engine().takesViews(op);
        Layout layout = any ? kept(node, node.inputs()) : Layout.PLAIN;
        Function<Value, Layout> wanted =
                any && op instanceof Movement ? x -> assembly.primary(x).layout() : x -> images(x, layout);
        launch(
                assembly.describe(node),
                node,
                node.inputs(),
                wanted,
                node.outputs(),
                layout,
                (from, to) -> assembly.engine().plan(op, from, to));
    }

    /** The layout in which a node's images are, where axes keep their meaning: channels last where one of them is. */
    private Layout kept(Node node, List<Value> inputs) {
        boolean moved = node.op() instanceof Movement.Transpose || node.op() instanceof Movement.Broadcast;
        boolean last = !moved
                && results.stream().noneMatch(node.outputs()::contains)
                && inputs.stream().anyMatch(input -> assembly.primary(input).layout() == Layout.CHANNELS_LAST);
        return last ? Layout.CHANNELS_LAST : Layout.PLAIN;
    }
}
