package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.kernels.Kernel;
import io.kingfisher.runtime.cpu.kernels.KernelEngine;
import io.kingfisher.runtime.cpu.kernels.View;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Our own loops, on row-major memory or on that of a blocked layout. */
final class Loops {
    private final Assembly assembly;
    private final KernelEngine engine;
    /** Values that end in a tensor or an output, which are row-major. */
    private final Set<Value> results;

    Loops(Assembly assembly, KernelEngine engine, Set<Value> results) {
        this.assembly = assembly;
        this.engine = engine;
        this.results = results;
    }

    /** An elementwise function of one operand. */
    void map(String what, String scope, Expr expr, Type type, Buffer from, Buffer to) {
        Kernel kernel = engine.map(List.of(expr), List.of(type.dtype()), type.shape(), List.of(View.of(type)));
        emit(what + " " + type, scope, kernel, List.of(from), List.of(to), List.of(from));
    }

    void map(Map op, Node node) {
        Shape shape = node.output(0).shape();
        Layout layout = layout(node);
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        List<Buffer> elsewhere = new ArrayList<>();
        List<View> views = new ArrayList<>();
        for (Value input : node.inputs()) {
            boolean full = input.shape().equals(shape);
            Buffer buffer = layout.plain() || !full ? assembly.plain(input) : assembly.in(input, layout);
            reads.add(buffer);
            if (!full) {
                elsewhere.add(buffer);
            }
            views.add(
                    layout.plain()
                            ? View.of(input.type())
                            : full
                                    ? View.of(new Type(input.dtype(), layout.physical(shape)))
                                    : layout.operand(input.type(), shape));
        }
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output, layout));
        }
        List<Buffer> replaceable =
                reads.stream().filter(buffer -> !elsewhere.contains(buffer)).toList();
        Kernel kernel = engine.map(op.results(), op.dtypes(), layout.physical(shape), views);
        emit(assembly.describe(node, ""), node.scope(), kernel, reads, writes, replaceable);
    }

    /** The blocked layout that an operand of full size has, unless a result must be row-major. */
    private Layout layout(Node node) {
        Shape shape = node.output(0).shape();
        if (node.outputs().stream().anyMatch(results::contains) || shape.rank() != 4) {
            return Layout.PLAIN;
        }
        return node.inputs().stream()
                .filter(value -> value.shape().equals(shape))
                .map(value -> assembly.primary(value).layout())
                .filter(Layout::image)
                .findFirst()
                .orElse(Layout.PLAIN);
    }

    /** A reduction runs on a blocked layout where what remains is in row-major order. */
    void reduce(Reduce op, Node node) {
        Value input = node.input(0);
        Assembly.Stored stored = assembly.primary(input);
        List<Integer> axes = op.axes();
        View view = View.of(input.type());
        Buffer buffer = stored.buffer();
        if (!stored.layout().plain()) {
            List<Integer> physical = stored.layout().dense() ? stored.layout().reduced(axes) : null;
            if (physical == null) {
                buffer = assembly.plain(input);
            } else {
                axes = physical;
                view = View.of(new Type(input.dtype(), stored.layout().physical(input.shape())));
            }
        }
        Kernel kernel = engine.reduce(
                List.of(Expr.arg(0)), List.of(op.kind()), List.of(input.dtype()), view.shape(), axes, List.of(view));
        emit(
                assembly.describe(node, ""),
                node.scope(),
                kernel,
                List.of(buffer),
                List.of(assembly.define(node.output(0))),
                List.of());
    }

    /** A node in row-major order, by one of our loops or, where there is none, in the reference's plain Java. */
    void plain(Node node) {
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        for (Value input : node.inputs()) {
            reads.add(assembly.plain(input));
        }
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output));
        }
        Kernel kernel =
                engine.kernel(node.op(), node.inputs().stream().map(Value::type).toList());
        if (kernel != null) {
            emit(assembly.describe(node, ""), node.scope(), kernel, reads, writes, List.of());
        } else {
            assembly.emit(Instruction.of(
                    assembly.describe(node, "plain Java"),
                    node.scope(),
                    reads,
                    writes,
                    () -> new PlainStep(node, reads, writes)));
        }
    }

    private void emit(
            String what,
            String scope,
            Kernel kernel,
            List<Buffer> reads,
            List<Buffer> writes,
            List<Buffer> replaceable) {
        List<Buffer> operands = new ArrayList<>(reads);
        operands.addAll(writes);
        List<Buffer> written = new ArrayList<>(writes);
        if (kernel.scratchBytes() > 0) {
            Buffer scratch = Buffer.temporary(kernel.scratchBytes());
            operands.add(scratch);
            written.add(scratch);
        }
        assembly.emit(new Instruction(
                what,
                scope,
                reads,
                written,
                replaceable,
                0,
                () -> kernel.bind(operands.stream().mapToLong(Buffer::address).toArray())));
    }
}
