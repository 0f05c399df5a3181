package io.kingfisher.runtime.plan;

import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The bytes that instructions cannot help to read and write. */
public final class Traffic {
    private Traffic() {}

    /**
     * For each instruction the sizes of the buffers that it reads and of those that it writes, each once. A temporary buffer
     * that no other instruction touches is scratch memory and does not count. To be asked before memory is placed.
     */
    public static double[] of(List<? extends Instruction<?>> instructions) {
        Map<Buffer, Integer> users = new IdentityHashMap<>();
        for (Instruction<?> instruction : instructions) {
            Set<Buffer> roots = new HashSet<>();
            instruction.reads().forEach(buffer -> roots.add(buffer.root()));
            instruction.writes().forEach(buffer -> roots.add(buffer.root()));
            roots.forEach(root -> users.merge(root, 1, Integer::sum));
        }
        double[] bytes = new double[instructions.size()];
        for (int i = 0; i < bytes.length; i++) {
            for (List<Buffer> side :
                    List.of(instructions.get(i).reads(), instructions.get(i).writes())) {
                for (Buffer buffer : new HashSet<>(side)) {
                    boolean scratch = buffer.kind() == Buffer.Kind.TEMPORARY && users.get(buffer.root()) == 1;
                    bytes[i] += scratch ? 0 : buffer.bytes();
                }
            }
        }
        return bytes;
    }
}
