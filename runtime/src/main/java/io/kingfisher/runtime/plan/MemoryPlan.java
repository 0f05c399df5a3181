package io.kingfisher.runtime.plan;

import java.util.Collection;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The lifetimes of all buffers of a program, results over operands that die where they are made, and places in one block. */
public final class MemoryPlan {
    /**
     * A buffer and what it is for.
     *
     * @param what the instruction that makes it, or what it is kept for
     */
    public record Use(Buffer buffer, String what) {}

    private final Map<Buffer, String> makers = new IdentityHashMap<>();
    private final ArenaPlan arena;

    /**
     * Plans the memory of instructions.
     *
     * @param kept what lasts as long as the program, with names
     */
    public MemoryPlan(List<? extends Instruction<?>> instructions, Map<Buffer, String> kept, long alignment) {
        for (int i = 0; i < instructions.size(); i++) {
            int position = i;
            instructions.get(i).reads().forEach(buffer -> buffer.root().touch(position));
            instructions.get(i).writes().forEach(buffer -> buffer.root().touch(position));
        }
        reuse(instructions);
        Set<Buffer> placed = new LinkedHashSet<>();
        kept.forEach((buffer, name) -> {
            placed.add(buffer.root());
            makers.putIfAbsent(buffer.root(), name);
        });
        for (Instruction<?> instruction : instructions) {
            instruction.reads().forEach(buffer -> placed.add(buffer.root()));
            for (Buffer buffer : instruction.writes()) {
                placed.add(buffer.root());
                String scope = instruction.scope();
                makers.putIfAbsent(buffer.root(), instruction.what() + (scope.isEmpty() ? "" : " in " + scope));
            }
        }
        placed.removeIf(buffer -> !buffer.inBlock());
        arena = new ArenaPlan(List.copyOf(placed), alignment);
    }

    /** Lets results overwrite operands that die where they are made. */
    private static void reuse(List<? extends Instruction<?>> instructions) {
        for (int i = 0; i < instructions.size(); i++) {
            Instruction<?> instruction = instructions.get(i);
            for (Buffer write : instruction.writes()) {
                Buffer result = write.root();
                if (result.kind() != Buffer.Kind.TEMPORARY || result.first() != i || write.isPart()) {
                    continue;
                }
                for (Buffer read : instruction.replaceable().getOrDefault(write, List.of())) {
                    Buffer operand = read.root();
                    if (operand.kind() == Buffer.Kind.TEMPORARY
                            && instruction.reads().stream().noneMatch(b -> b.root() == operand && b.isPart())
                            && operand.last() == i
                            && operand.first() < i
                            && operand.bytes() == result.bytes()) {
                        result.mergeInto(operand);
                        break;
                    }
                }
            }
        }
    }

    /** The size of the block. */
    public long bytes() {
        return arena.bytes();
    }

    /** Where a buffer is in the block. */
    public long offset(Buffer buffer) {
        return arena.offset(buffer.root());
    }

    /** Tells every buffer its address in a block that starts at {@code base}. */
    public void place(long base) {
        arena.place(base);
    }

    /** The largest buffers, largest first. */
    public List<Use> largest(int count) {
        Collection<Map.Entry<Buffer, String>> all = makers.entrySet();
        return all.stream()
                .filter(entry -> entry.getKey().inBlock())
                .sorted(Comparator.comparingLong((Map.Entry<Buffer, String> entry) ->
                                entry.getKey().bytes())
                        .reversed())
                .limit(count)
                .map(entry -> new Use(entry.getKey(), entry.getValue()))
                .toList();
    }

    /** Every buffer of the block: place, size, first and last instruction that touch it, what makes it. */
    public List<String> lines() {
        return makers.entrySet().stream()
                .filter(entry -> entry.getKey().inBlock())
                .sorted(Comparator.comparingLong((Map.Entry<Buffer, String> entry) -> arena.offset(entry.getKey()))
                        .thenComparingInt(entry -> entry.getKey().first()))
                .map(entry -> {
                    Buffer buffer = entry.getKey();
                    String life = buffer.kind() == Buffer.Kind.PINNED
                            ? "always"
                            : "from " + buffer.first() + " to " + buffer.last();
                    return arena.offset(buffer) + ": " + buffer.bytes() + " bytes " + life + ", " + entry.getValue();
                })
                .toList();
    }
}
