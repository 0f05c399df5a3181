package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Brings outputs and assigned values to where the caller finds them. A value is made in its tensor's memory where nothing
 * reads the tensor's old value afterwards; otherwise it is copied there at the end, when nobody reads old values any more.
 */
public final class Results {
    /** A program being assembled. */
    public interface Program {
        /** The value in row-major order. */
        Buffer plain(Value value);

        /** The instructions so far. */
        List<? extends Instruction<?>> instructions();

        /** Adds an instruction that copies as many bytes as {@code from} has. */
        void copy(String what, Buffer from, Buffer to);
    }

    private final Graph graph;
    private final Program assembly;
    private final Map<Tensor, Buffer> tensors;
    private final Map<String, Buffer> outputs;

    /** What it finds is put into {@code tensors} and {@code outputs}. */
    public Results(Graph graph, Program assembly, Map<Tensor, Buffer> tensors, Map<String, Buffer> outputs) {
        this.graph = graph;
        this.assembly = assembly;
        this.tensors = tensors;
        this.outputs = outputs;
    }

    public void settle() {
        // Row-major versions first: making one may add an instruction.
        Map<Tensor, Buffer> assigned = new LinkedHashMap<>();
        graph.outputs().forEach((name, value) -> outputs.put(name, assembly.plain(value)));
        graph.assignments().forEach((tensor, value) -> assigned.put(tensor, assembly.plain(value)));
        graph.assignments().keySet().forEach(tensor -> tensors.computeIfAbsent(tensor, Buffer::of));

        outputs.replaceAll((_, buffer) -> output(buffer));
        // What is only moved from one tensor to another leaves before any tensor changes.
        for (var entry : assigned.entrySet()) {
            Buffer source = entry.getValue();
            if (source.kind() == Buffer.Kind.TENSOR && assigned.containsKey(source.tensor())) {
                if (source.tensor() == entry.getKey()) {
                    continue;
                }
                Buffer copy = Buffer.temporary(source.bytes());
                assembly.copy("keep the old value of an assigned tensor", source, copy);
                entry.setValue(copy);
            }
        }
        List<Runnable> copies = new ArrayList<>();
        assigned.forEach((tensor, source) -> {
            Buffer target = tensors.get(tensor);
            if (source.root() == target.root()) {
                return;
            }
            if (makeThere(source, target)) {
                return;
            }
            copies.add(() -> assembly.copy("assign " + tensor, source, target));
        });
        copies.forEach(Runnable::run);
    }

    /** The memory in which the caller finds an output: that of the value itself, where it is nobody else's. */
    private Buffer output(Buffer source) {
        if (source.kind() == Buffer.Kind.TEMPORARY && !source.isPart()) {
            source.pin();
        }
        if (source.kind() == Buffer.Kind.PINNED && written(source)) {
            return source;
        }
        Buffer copy = Buffer.pinned(source.bytes());
        assembly.copy("output", source, copy);
        return copy;
    }

    private boolean written(Buffer buffer) {
        return assembly.instructions().stream().anyMatch(i -> i.writes().contains(buffer));
    }

    private boolean makeThere(Buffer source, Buffer target) {
        if (source.kind() != Buffer.Kind.TEMPORARY || source.isPart() || source.bytes() != target.bytes()) {
            return false;
        }
        List<? extends Instruction<?>> instructions = assembly.instructions();
        int made = -1;
        for (int i = 0; i < instructions.size(); i++) {
            Instruction<?> instruction = instructions.get(i);
            boolean writes = instruction.writes().stream().anyMatch(b -> b.root() == source.root());
            boolean reads = instruction.reads().stream().anyMatch(b -> b.root() == target.root());
            if (made < 0 && writes) {
                made = i;
                if (reads && !instruction.replaces(source, target)) {
                    return false;
                }
            } else if (made >= 0 && reads) {
                return false;
            }
        }
        if (made < 0) {
            return false;
        }
        source.mergeInto(target);
        return true;
    }
}
