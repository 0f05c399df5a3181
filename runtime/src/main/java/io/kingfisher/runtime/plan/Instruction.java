package io.kingfisher.runtime.plan;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A step before its memory is placed.
 *
 * @param <S> what steps are on the device
 * @param what the op with types, layouts and the implementation, for people
 * @param scope the path of the layer, or empty
 * @param reads what it reads
 * @param writes what it writes, scratch memory included
 * @param replaceable for a result those of {@code reads} whose memory it may take over if it has the same size: every
 *     element is read before, and only for, the results at the same place
 * @param nativeCalls the calls into native libraries that a run makes
 * @param bind makes the step when all addresses are known
 */
public record Instruction<S>(
        String what,
        String scope,
        List<Buffer> reads,
        List<Buffer> writes,
        Map<Buffer, List<Buffer>> replaceable,
        int nativeCalls,
        Supplier<S> bind) {
    public Instruction {
        reads = List.copyOf(reads);
        writes = List.copyOf(writes);
    }

    public static <S> Instruction<S> of(
            String what, String scope, List<Buffer> reads, List<Buffer> writes, Supplier<S> bind) {
        return new Instruction<>(what, scope, reads, writes, Map.of(), 0, bind);
    }

    /** Whether a result may overwrite a buffer that is read. */
    public boolean replaces(Buffer result, Buffer operand) {
        return replaceable.entrySet().stream()
                .filter(entry -> entry.getKey().root() == result.root())
                .anyMatch(entry -> entry.getValue().stream().anyMatch(b -> b.root() == operand.root()));
    }
}
