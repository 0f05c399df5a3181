package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.KernelEngine;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelPlan;
import io.kingfisher.runtime.cuda.math.Call;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.Results;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * A program being assembled: the instructions so far and where each value is. A value may be at two places, in both layouts;
 * the first is where its instruction puts it, the other is a transposition made when somebody asks.
 */
final class Assembly implements Results.Program {
    /** A value's memory and how it lies there. */
    record Stored(Buffer buffer, Layout layout) {}

    private final KernelEngine engine;
    private final Binder binder;
    private final List<Instruction<CudaStep>> instructions = new ArrayList<>();
    private final Map<Value, List<Stored>> places = new HashMap<>();

    Assembly(KernelEngine engine, Binder binder) {
        this.engine = engine;
        this.binder = binder;
    }

    KernelEngine engine() {
        return engine;
    }

    @Override
    public List<Instruction<CudaStep>> instructions() {
        return instructions;
    }

    /** Says where a value is. */
    void put(Value value, Stored stored) {
        places.computeIfAbsent(value, _ -> new ArrayList<>()).add(stored);
    }

    /** New memory for a value. */
    Buffer define(Value value, Layout layout) {
        Buffer buffer = Buffer.temporary(value.type().bytes());
        put(value, new Stored(buffer, layout));
        return buffer;
    }

    /** Where the value's instruction puts it. */
    Stored primary(Value value) {
        return places.get(value).get(0);
    }

    /** How the value lies where its instruction puts it. */
    View view(Value value) {
        return primary(value).layout().view(value.type());
    }

    @Override
    public Buffer plain(Value value) {
        return in(value, Layout.PLAIN);
    }

    /** The value in a layout. */
    Buffer in(Value value, Layout layout) {
        for (Stored stored : places.get(value)) {
            if (stored.layout().same(layout, value.type())) {
                return stored.buffer();
            }
        }
        Buffer to = Buffer.temporary(value.type().bytes());
        Stored from = primary(value);
        Elementwise move =
                new Elementwise(List.of(Expr.arg(0)), List.of(view(value)), List.of(layout.view(value.type())));
        launch(
                "Transpose " + value + (layout == Layout.PLAIN ? " to row-major order" : " to channels last"),
                value.node().scope(),
                engine.map(move),
                List.of(from.buffer()),
                List.of(to),
                Map.of());
        put(value, new Stored(to, layout));
        return to;
    }

    /** Adds the launches of a plan, whose operands are {@code reads} and then {@code writes}. */
    void launch(
            String what,
            String scope,
            KernelPlan plan,
            List<Buffer> reads,
            List<Buffer> writes,
            Map<Buffer, List<Buffer>> replaceable) {
        launch(
                what,
                scope,
                plan,
                reads,
                writes,
                replaceable,
                Stream.concat(reads.stream(), writes.stream()).toList());
    }

    /** The same where the operands are in another order. */
    void launch(
            String what,
            String scope,
            KernelPlan plan,
            List<Buffer> reads,
            List<Buffer> writes,
            Map<Buffer, List<Buffer>> replaceable,
            List<Buffer> operands) {
        List<Buffer> scratch = plan.scratch().stream().map(Buffer::temporary).toList();
        List<Buffer> written = new ArrayList<>(writes);
        written.addAll(scratch);
        var bind = binder.launches(plan, operands, scratch);
        int calls = plan.launches().size() + plan.cleared().size();
        if (calls > 0) {
            instructions.add(new Instruction<>(what, scope, reads, written, replaceable, calls, bind));
        }
    }

    /** Adds a call of a library. */
    void call(String what, String scope, Call call, List<Buffer> reads, List<Buffer> writes) {
        binder.resources().add(call);
        Buffer workspace = Buffer.temporary(call.workspaceBytes());
        List<Buffer> written = new ArrayList<>(writes);
        if (call.workspaceBytes() > 0) {
            written.add(workspace);
        }
        List<Buffer> operands = Stream.concat(reads.stream(), writes.stream()).toList();
        ToLongFunction<Buffer> at = buffer -> buffer.bytes() == 0 ? 0 : buffer.address();
        instructions.add(new Instruction<>(
                what + " by " + call.what(),
                scope,
                reads,
                written,
                Map.of(),
                1,
                () -> new CudaStep.Library(
                        call, operands.stream().mapToLong(at).toArray(), at.applyAsLong(workspace))));
    }

    /** Adds the writing of zeros. */
    void clear(String what, String scope, Buffer buffer) {
        if (buffer.bytes() > 0) {
            instructions.add(new Instruction<>(
                    what,
                    scope,
                    List.of(),
                    List.of(buffer),
                    Map.of(),
                    1,
                    () -> new CudaStep.Clear(buffer.address(), buffer.bytes())));
        }
    }

    @Override
    public void copy(String what, Buffer from, Buffer to) {
        if (from.bytes() > 0) {
            instructions.add(new Instruction<>(
                    "Copy: " + what,
                    "",
                    List.of(from),
                    List.of(to),
                    Map.of(),
                    1,
                    () -> new CudaStep.Copy(to.address(), from.address(), from.bytes())));
        }
    }

    /** What an instruction is called: the op and its types. */
    String describe(Node node) {
        return node.op() + " " + node.inputs().stream().map(this::describe).toList() + " -> "
                + node.outputs().stream().map(this::describe).toList();
    }

    private String describe(Value value) {
        List<Stored> stored = places.get(value);
        boolean last = stored != null && stored.get(0).layout() == Layout.CHANNELS_LAST;
        return value + (last ? " channels last" : "");
    }
}
