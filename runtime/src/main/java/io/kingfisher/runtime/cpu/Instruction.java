package io.kingfisher.runtime.cpu;

import java.util.List;
import java.util.function.Supplier;

/**
 * A step before its memory is placed.
 *
 * @param what the op with types, layouts and the implementation, for people
 * @param scope the path of the layer, or empty
 * @param reads what it reads
 * @param writes what it writes, scratch memory included
 * @param replaceable those of {@code reads} whose memory a result of the same size may take over: every element is read
 *     before, and only for, the result at the same place
 * @param nativeCalls the calls into native libraries that a run makes
 * @param bind makes the step when all addresses are known
 */
record Instruction(
        String what,
        String scope,
        List<Buffer> reads,
        List<Buffer> writes,
        List<Buffer> replaceable,
        int nativeCalls,
        Supplier<CpuStep> bind) {
    Instruction {
        reads = List.copyOf(reads);
        writes = List.copyOf(writes);
        replaceable = List.copyOf(replaceable);
    }

    static Instruction of(String what, String scope, List<Buffer> reads, List<Buffer> writes, Supplier<CpuStep> bind) {
        return new Instruction(what, scope, reads, writes, List.of(), 0, bind);
    }

    /** Whether all of a buffer that is read is read elementwise, so that a result may overwrite it. */
    boolean replaces(Buffer buffer) {
        return replaceable.stream().anyMatch(b -> b.root() == buffer.root());
    }
}
