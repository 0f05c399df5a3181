package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a program's inputs and small outputs are on the device: side by side, so that one copy moves all inputs and another
 * all small outputs, behind the block of everything else. The inputs are there three times: where the steps read them, and
 * in two stages to which uploads go while an earlier replay still reads.
 */
final class Ports {
    /** Outputs up to this size come back with every replay. */
    private static final long SMALL = 64 << 10;

    private static final long ALIGNMENT = 256;

    /**
     * An input or a small output.
     *
     * @param offset from the first of its kind, in bytes
     */
    record Port(String name, Type type, long offset) {}

    /** An output that stays on the device until somebody asks for it. */
    record Large(String name, Type type, Buffer buffer) {}

    private final Map<Buffer, Long> offsets = new LinkedHashMap<>();
    private final List<Port> inputs = new ArrayList<>();
    private final List<Port> outputs = new ArrayList<>();
    private final List<Large> large = new ArrayList<>();
    private final long inputBytes, outputBytes;
    private long base;

    /** Takes these inputs and the small ones of these outputs out of the program's block. */
    Ports(Graph graph, Map<String, Buffer> in, Map<String, Buffer> out) {
        long at = 0;
        for (var entry : graph.inputs().entrySet()) {
            Type type = entry.getValue().type();
            inputs.add(new Port(entry.getKey(), type, at));
            moveOutside(in.get(entry.getKey()), at);
            at += aligned(type.bytes());
        }
        inputBytes = at;
        Map<Buffer, Long> seen = new IdentityHashMap<>();
        at = 0;
        for (var entry : graph.outputs().entrySet()) {
            Value value = entry.getValue();
            Buffer buffer = out.get(entry.getKey()).root();
            if (value.type().bytes() > SMALL) {
                large.add(new Large(entry.getKey(), value.type(), buffer));
                continue;
            }
            // One value may be the output of several names.
            Long known = seen.putIfAbsent(buffer, at);
            outputs.add(new Port(entry.getKey(), value.type(), known == null ? at : known));
            if (known == null) {
                moveOutside(buffer, 3 * inputBytes + at);
                at += aligned(value.type().bytes());
            }
        }
        outputBytes = at;
    }

    private void moveOutside(Buffer buffer, long offset) {
        buffer.moveOutside();
        offsets.put(buffer.root(), offset);
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Gives everything its place. */
    void place(long address) {
        base = address;
        offsets.forEach((buffer, offset) -> buffer.place(address + offset));
    }

    /** The device memory that all of it takes. */
    long bytes() {
        return 3 * inputBytes + outputBytes;
    }

    List<Port> inputs() {
        return inputs;
    }

    List<Port> outputs() {
        return outputs;
    }

    List<Large> large() {
        return large;
    }

    /** Of all inputs once. */
    long inputBytes() {
        return inputBytes;
    }

    long outputBytes() {
        return outputBytes;
    }

    /** Where the steps read the inputs. */
    long inputAddress() {
        return base;
    }

    /** One of the two places to which inputs are uploaded. */
    long stageAddress(int stage) {
        return base + (1 + stage) * inputBytes;
    }

    long outputAddress() {
        return base + 3 * inputBytes;
    }
}
