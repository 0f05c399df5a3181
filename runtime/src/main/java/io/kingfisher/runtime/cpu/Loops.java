package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.kernels.Kernel;
import io.kingfisher.runtime.cpu.kernels.KernelEngine;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Epilogues;
import io.kingfisher.runtime.plan.Instruction;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Our own loops, on row-major memory or on that of a blocked layout. */
final class Loops {
    /** Rows with fewer columns do not fill vectors well. */
    private static final int SHORT_ROW = 32;

    private static final int MANY_ROWS = 1024;

    private final Assembly assembly;
    private final KernelEngine engine;
    /** Values that end in a tensor or an output, which are row-major. */
    private final Set<Value> results;

    private final Epilogues epilogues;

    Loops(Assembly assembly, KernelEngine engine, Epilogues epilogues, Set<Value> results) {
        this.epilogues = epilogues;
        this.assembly = assembly;
        this.engine = engine;
        this.results = results;
    }

    /** An elementwise function of one operand. */
    void map(String what, String scope, Expr expr, Type type, Buffer from, Buffer to) {
        Kernel kernel = engine.map(List.of(expr), List.of(type.dtype()), type.shape(), List.of(View.of(type)));
        emit(new Prepared(what + " " + type, scope, kernel, List.of(from), List.of(to), List.of(from)));
    }

    /**
     * A fast way where an operand is finite, and elementwise functions of views of it, of the same meaning, where it is not.
     *
     * @param operand the operand as a row-major array
     * @param fast writes {@code to} from {@code from}
     */
    void finiteOr(
            Instruction<CpuStep> fast,
            Type operand,
            Buffer from,
            List<Buffer> to,
            List<Expr> exprs,
            List<DType> dtypes,
            List<View> views) {
        Kernel exact = engine.map(exprs, dtypes, views.get(0).shape(), views);
        Kernel finite = engine.reduce(
                List.of(Expr.unary(Expr.UnaryOp.IS_FINITE, Expr.arg(0))),
                List.of(Reduce.Kind.MIN),
                List.of(DType.F32),
                operand.shape(),
                IntStream.range(0, operand.shape().rank()).boxed().toList(),
                List.of(View.of(operand)));
        Buffer flag = Buffer.temporary(Float.BYTES), scratch = Buffer.temporary(Math.max(1, finite.scratchBytes()));
        List<Buffer> writes = new ArrayList<>(fast.writes());
        writes.add(flag);
        writes.add(scratch);
        assembly.emit(new Instruction<>(
                fast.what() + ", or our loop where an operand is not finite",
                fast.scope(),
                fast.reads(),
                writes,
                java.util.Map.of(),
                fast.nativeCalls(),
                () -> {
                    CpuStep check = finite.bind(from.address(), flag.address(), scratch.address());
                    CpuStep usual = fast.bind().get();
                    CpuStep other = exact.bind(addresses(Collections.nCopies(views.size(), from), to));
                    long at = flag.address();
                    return () -> {
                        check.run();
                        (NativeMemory.ALL.get(ValueLayout.JAVA_FLOAT, at) == 1 ? usual : other).run();
                    };
                }));
    }

    /** A kernel with its operands. */
    private record Prepared(
            String what,
            String scope,
            Kernel kernel,
            List<Buffer> reads,
            List<Buffer> writes,
            List<Buffer> replaceable) {}

    void map(Map op, Node node) {
        Prepared prepared = prepare(op, node);
        if (prepared != null) {
            emit(prepared);
        }
    }

    /** Elementwise nodes that do not need each other's results, as one step. */
    void together(List<Node> nodes) {
        List<Prepared> all = new ArrayList<>();
        for (Node node : nodes) {
            Prepared prepared = prepare((Map) node.op(), node);
            if (prepared != null && prepared.kernel().scratchBytes() > 0) {
                emit(prepared);
            } else if (prepared != null) {
                all.add(prepared);
            }
        }
        if (all.isEmpty()) {
            return;
        }
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        java.util.Map<Buffer, List<Buffer>> replaceable = new HashMap<>();
        StringBuilder what = new StringBuilder();
        for (Prepared one : all) {
            // What another one reads must not change, for they run in any order.
            List<Buffer> own = one.replaceable().stream()
                    .filter(buffer -> all.stream()
                            .noneMatch(other -> other != one && other.reads().contains(buffer)))
                    .toList();
            one.writes().forEach(result -> replaceable.put(result, own));
            reads.addAll(one.reads());
            writes.addAll(one.writes());
            what.append(what.isEmpty() ? "Together: " : "; ").append(one.what());
        }
        assembly.emit(new Instruction<>(
                what.toString(),
                "",
                reads,
                writes,
                replaceable,
                0,
                () -> engine.together(all.stream()
                        .map(one -> one.kernel().bind(addresses(one.reads(), one.writes())))
                        .toList())));
    }

    /** The kernel of an elementwise node; null where the node is another value by another name. */
    private Prepared prepare(Map op, Node node) {
        Epilogues.Fused fused = epilogues.rewrite(op.results(), node.inputs());
        if (fused.exprs().equals(List.of(Expr.arg(0)))
                && fused.inputs().get(0).type().equals(node.output(0).type())) {
            assembly.put(node.output(0), assembly.primary(fused.inputs().get(0)));
            return null;
        }
        Shape shape = node.output(0).shape();
        Layout layout =
                results.stream().anyMatch(node.outputs()::contains) ? Layout.PLAIN : layout(fused.inputs(), shape);
        Operands operands = operands(fused.inputs(), shape, layout);
        List<Buffer> writes = new ArrayList<>();
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output, layout));
        }
        Kernel kernel = engine.map(fused.exprs(), op.dtypes(), layout.physical(shape), operands.views());
        return new Prepared(
                assembly.describe(node, ""), node.scope(), kernel, operands.buffers(), writes, operands.replaceable());
    }

    /** Operands that broadcast to a shape in a layout, and those whose elements are each read in one place only. */
    private record Operands(List<Buffer> buffers, List<View> views, List<Buffer> replaceable) {}

    private Operands operands(List<Value> inputs, Shape shape, Layout layout) {
        List<Buffer> buffers = new ArrayList<>(), elsewhere = new ArrayList<>();
        List<View> views = new ArrayList<>();
        for (Value input : inputs) {
            boolean full = input.shape().equals(shape);
            Buffer buffer = layout.plain() || !full ? assembly.plain(input) : assembly.in(input, layout);
            buffers.add(buffer);
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
        List<Buffer> replaceable =
                buffers.stream().filter(buffer -> !elsewhere.contains(buffer)).toList();
        return new Operands(buffers, views, replaceable);
    }

    /** The layout of the first operand of full size that is an image with its channels last or in blocks. */
    private Layout layout(List<Value> inputs, Shape shape) {
        return inputs.stream()
                .filter(value -> value.shape().equals(shape))
                .map(value -> assembly.primary(value).layout())
                .filter(Layout::image)
                .findFirst()
                .orElse(Layout.PLAIN);
    }

    /** A reduction of an expression; it runs on a blocked layout where what remains is in row-major order. */
    void reduce(Fusion.Reduction reduction, Node node) {
        Shape shape = reduction.shape();
        Epilogues.Fused fused = epilogues.rewrite(List.of(reduction.expr()), reduction.inputs());
        Layout layout = layout(fused.inputs(), shape);
        List<Integer> axes = reduction.op().axes();
        if (!layout.plain()) {
            List<Integer> physical = layout.reduced(axes);
            layout = physical == null ? Layout.PLAIN : layout;
            axes = physical == null ? axes : physical;
        }
        Operands operands = operands(fused.inputs(), shape, layout);
        Shape physical = layout.physical(shape);
        String absorbed = reduction.expr() instanceof Expr.Arg
                ? ""
                : " of " + Exprs.ordered(fused.exprs()).size() + " parts of " + fused.inputs();
        String what = assembly.describe(node, "") + absorbed;
        Buffer result = assembly.define(node.output(0));
        int together = allButLast(axes, physical)
                        && fused.inputs().stream()
                                .allMatch(input -> input.shape().equals(shape))
                ? rowsTogether(physical)
                : 1;
        if (together == 1) {
            reduce(what, node.scope(), reduction, fused.exprs(), physical, axes, operands, result);
            return;
        }
        // Several short rows are one long one, whose parts are reduced at the end.
        long columns = physical.dim(-1) * together;
        Shape wide = Shape.of(physical.elements() / columns, columns);
        List<View> views = operands.views().stream()
                .map(view -> View.of(new Type(view.dtype(), wide)))
                .toList();
        Buffer partial = Buffer.temporary(columns * reduction.dtype().bytes());
        Operands flat = new Operands(operands.buffers(), views, List.of());
        reduce(what, node.scope(), reduction, fused.exprs(), wide, List.of(0), flat, partial);
        Shape parts = Shape.of(together, physical.dim(-1));
        View view = View.of(new Type(reduction.dtype(), parts));
        Operands one = new Operands(List.of(partial), List.of(view), List.of());
        reduce(what + " (end)", node.scope(), reduction, List.of(Expr.arg(0)), parts, List.of(0), one, result);
    }

    private static boolean allButLast(List<Integer> axes, Shape shape) {
        return axes.equals(IntStream.range(0, shape.rank() - 1).boxed().toList()) && !axes.isEmpty();
    }

    /** How many rows to take as one so that they fill vectors: 1 where they do, or where the rows do not divide evenly. */
    private static int rowsTogether(Shape shape) {
        long columns = shape.dim(-1), rows = columns == 0 ? 0 : shape.elements() / columns;
        int together = 1;
        while (columns * together < SHORT_ROW && rows % (2L * together) == 0 && rows >= MANY_ROWS) {
            together *= 2;
        }
        return together;
    }

    private void reduce(
            String what,
            String scope,
            Fusion.Reduction reduction,
            List<Expr> exprs,
            Shape shape,
            List<Integer> axes,
            Operands operands,
            Buffer result) {
        Kernel kernel = engine.reduce(
                exprs, List.of(reduction.op().kind()), List.of(reduction.dtype()), shape, axes, operands.views());
        emit(new Prepared(what, scope, kernel, operands.buffers(), List.of(result), List.of()));
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
            emit(new Prepared(assembly.describe(node, ""), node.scope(), kernel, reads, writes, List.of()));
        } else {
            assembly.emit(Instruction.of(
                    assembly.describe(node, "plain Java"),
                    node.scope(),
                    reads,
                    writes,
                    () -> new PlainStep(node, reads, writes)));
        }
    }

    private void emit(Prepared prepared) {
        List<Buffer> written = new ArrayList<>(prepared.writes());
        if (prepared.kernel().scratchBytes() > 0) {
            written.add(Buffer.temporary(prepared.kernel().scratchBytes()));
        }
        java.util.Map<Buffer, List<Buffer>> replaceable = new HashMap<>();
        prepared.writes().forEach(result -> replaceable.put(result, prepared.replaceable()));
        assembly.emit(new Instruction<>(
                prepared.what(),
                prepared.scope(),
                prepared.reads(),
                written,
                replaceable,
                0,
                () -> prepared.kernel().bind(addresses(prepared.reads(), written))));
    }

    private static long[] addresses(List<Buffer> reads, List<Buffer> writes) {
        return Stream.concat(reads.stream(), writes.stream())
                .mapToLong(Buffer::address)
                .toArray();
    }
}
