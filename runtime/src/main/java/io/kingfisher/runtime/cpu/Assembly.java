package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Flops;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.Results;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A program being assembled: the instructions so far and where each value is. A value may be at several places, in several
 * layouts; the first is where its instruction puts it, the others are reorders made when somebody asks.
 */
final class Assembly implements Results.Program {
    /** A value's memory and how it lies there. */
    record Stored(Buffer buffer, Layout layout) {}

    private final OneDnn onednn;
    private final Resources resources;
    private final List<Instruction<CpuStep>> instructions = new ArrayList<>();
    private final List<Double> flops = new ArrayList<>();
    private final Map<Value, List<Stored>> places = new HashMap<>();
    /** The arithmetic of the node being lowered, until an instruction has taken it. */
    private double owed;

    Assembly(OneDnn onednn, Resources resources) {
        this.onednn = onednn;
        this.resources = resources;
    }

    OneDnn onednn() {
        return onednn;
    }

    Resources resources() {
        return resources;
    }

    @Override
    public List<Instruction<CpuStep>> instructions() {
        return instructions;
    }

    /** Begins with the instructions of a node. */
    void begin(Node node) {
        owed = Flops.of(node);
    }

    void emit(Instruction<CpuStep> instruction) {
        instructions.add(instruction);
        flops.add(owed);
        owed = 0;
    }

    /** The arithmetic of each instruction. A node's is that of the first which is no reorder. */
    double[] flops() {
        return flops.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** Says where a value is. */
    void put(Value value, Stored stored) {
        places.computeIfAbsent(value, _ -> new ArrayList<>()).add(stored);
    }

    /** New memory for a value in row-major order. */
    Buffer define(Value value) {
        Buffer buffer = Buffer.temporary(value.type().bytes());
        put(value, new Stored(buffer, Layout.PLAIN));
        return buffer;
    }

    /** New memory for a value in the layout of a descriptor, which the assembly takes over. */
    Buffer define(Value value, DnnlMemoryDesc desc) {
        Layout layout = Layout.of(resources.keep(desc));
        Buffer buffer = Buffer.temporary(layout.plain() ? value.type().bytes() : desc.bytes());
        put(value, new Stored(buffer, layout));
        return buffer;
    }

    /** New memory for a value laid out as another of the same shape, without gaps. */
    Buffer define(Value value, Layout layout) {
        Buffer buffer = Buffer.temporary(value.type().bytes());
        int type = onednn.type(value.dtype());
        boolean own = layout.plain() || layout.desc().dataType() == type;
        put(value, new Stored(buffer, own ? layout : Layout.of(resources.keep(layout.ofImage(type, value.shape())))));
        return buffer;
    }

    /** Makes a slice that is one stretch of its operand's memory by saying where it is; false where it is not. */
    boolean part(Movement.Slice op, Node node) {
        Shape from = node.input(0).shape(), to = node.output(0).shape();
        int axis = 0;
        while (axis < to.rank() && to.dim(axis) == 1) {
            axis++;
        }
        for (int i = axis + 1; i < to.rank(); i++) {
            if (to.dim(i) != from.dim(i)) {
                return false;
            }
        }
        long[] strides = from.strides();
        long offset = 0;
        for (int i = 0; i < to.rank(); i++) {
            offset += op.starts().get(i) * strides[i];
        }
        offset *= node.input(0).dtype().bytes();
        if (offset % NativeMemory.ALIGNMENT != 0 || to.elements() == 0) {
            return false;
        }
        Buffer part =
                Buffer.part(plain(node.input(0)), offset, node.output(0).type().bytes());
        put(node.output(0), new Stored(part, Layout.PLAIN));
        return true;
    }

    /** Where the value's instruction puts it. */
    Stored primary(Value value) {
        return places.get(value).get(0);
    }

    @Override
    public Buffer plain(Value value) {
        for (Stored stored : places.get(value)) {
            if (stored.layout().plain()) {
                return stored.buffer();
            }
        }
        Stored from = primary(value);
        Buffer to = Buffer.temporary(value.type().bytes());
        DnnlMemoryDesc plain = resources.keep(DnnlMemoryDesc.rowMajor(
                onednn.type(value.dtype()), from.layout().desc().dims()));
        reorder(value, from.buffer(), from.layout().desc(), to, plain);
        put(value, new Stored(to, Layout.PLAIN));
        return to;
    }

    /** The value in a layout of its own dimensions. */
    Buffer in(Value value, Layout layout) {
        if (layout.plain()) {
            return plain(value);
        }
        if (layout.desc().dataType() == onednn.type(value.dtype())) {
            return in(value, layout.desc());
        }
        try (DnnlMemoryDesc wanted = layout.ofImage(onednn.type(value.dtype()), value.shape())) {
            return in(value, wanted);
        }
    }

    /** The value in the layout of a descriptor, whose dimensions may split the value's. The descriptor stays the caller's. */
    Buffer in(Value value, DnnlMemoryDesc wanted) {
        Layout layout = Layout.of(wanted);
        if (layout.plain()) {
            return plain(value);
        }
        for (Stored stored : places.get(value)) {
            if (stored.layout().same(layout)) {
                return stored.buffer();
            }
        }
        DnnlMemoryDesc desc = resources.keep(wanted.copy());
        Stored from = primary(value);
        boolean direct = !from.layout().plain()
                && java.util.Arrays.equals(from.layout().desc().dims(), desc.dims());
        Buffer source = direct ? from.buffer() : plain(value);
        DnnlMemoryDesc sourceDesc = direct
                ? from.layout().desc()
                : resources.keep(DnnlMemoryDesc.rowMajor(onednn.type(value.dtype()), desc.dims()));
        Buffer to = Buffer.temporary(desc.bytes());
        reorder(value, source, sourceDesc, to, desc);
        put(value, new Stored(to, Layout.of(desc)));
        return to;
    }

    private void reorder(Value value, Buffer from, DnnlMemoryDesc fromDesc, Buffer to, DnnlMemoryDesc toDesc) {
        double later = owed;
        owed = 0;
        DnnlPrimitiveDesc pd =
                resources.keep(DnnlPrimitiveDesc.reorder(onednn.engine(), fromDesc, toDesc, onednn.attributes()));
        new PrimitiveCall(this, pd)
                .read(dnnl_h.DNNL_ARG_FROM(), from)
                .write(dnnl_h.DNNL_ARG_TO(), to)
                .emit(
                        "Reorder " + value + " to " + Layout.of(toDesc),
                        value.node().scope());
        owed = later;
    }

    @Override
    public void copy(String what, Buffer from, Buffer to) {
        emit(Instruction.of(
                "Copy: " + what,
                "",
                List.of(from),
                List.of(to),
                () -> new Copy(
                        NativeMemory.segment(from.address(), from.bytes()),
                        NativeMemory.segment(to.address(), from.bytes()))));
    }

    private record Copy(MemorySegment from, MemorySegment to) implements CpuStep {
        @Override
        public void run() {
            to.copyFrom(from);
        }
    }

    /** What an instruction is called: the op, its types and anything else that tells. */
    String describe(Node node, String detail) {
        StringBuilder text = new StringBuilder(node.op().toString()).append(' ');
        text.append(node.inputs().stream().map(this::describe).toList());
        text.append(" -> ").append(node.outputs().stream().map(this::describe).toList());
        return detail.isEmpty()
                ? text.toString()
                : text.append(" by ").append(detail).toString();
    }

    private String describe(Value value) {
        List<Stored> stored = places.get(value);
        Layout layout = stored == null ? Layout.PLAIN : stored.get(0).layout();
        return value + (layout.plain() ? "" : " as " + layout);
    }

    static long bytes(Shape shape, io.kingfisher.runtime.DType dtype) {
        return new Type(dtype, shape).bytes();
    }
}
