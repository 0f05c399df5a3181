package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.Dnnl;
import io.kingfisher.nativebindings.dnnl.DnnlMemory;
import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitive;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A oneDNN primitive with the buffers that it works on, as an instruction. */
final class PrimitiveCall {
    private final Assembly assembly;
    private final DnnlPrimitiveDesc pd;
    private final Map<Integer, Buffer> arguments = new LinkedHashMap<>();
    private final List<Buffer> reads = new ArrayList<>();
    private final List<Buffer> writes = new ArrayList<>();

    /** {@code pd} must live as long as the program. */
    PrimitiveCall(Assembly assembly, DnnlPrimitiveDesc pd) {
        this.assembly = assembly;
        this.pd = pd;
    }

    PrimitiveCall read(int argument, Buffer buffer) {
        arguments.put(argument, buffer);
        reads.add(buffer);
        return this;
    }

    PrimitiveCall write(int argument, Buffer buffer) {
        arguments.put(argument, buffer);
        writes.add(buffer);
        return this;
    }

    /** Adds the instruction to the program. */
    void emit(String what, String scope) {
        assembly.emit(instruction(what, scope));
    }

    /** The instruction, with scratch memory where the primitive wants some. */
    Instruction<CpuStep> instruction(String what, String scope) {
        try (DnnlMemoryDesc scratchpad = pd.argument(dnnl_h.DNNL_ARG_SCRATCHPAD())) {
            if (scratchpad.bytes() > 0) {
                write(dnnl_h.DNNL_ARG_SCRATCHPAD(), Buffer.temporary(scratchpad.bytes()));
            }
        }
        String name = what + " by oneDNN " + pd.implementation();
        return new Instruction<>(name, scope, reads, writes, Map.of(), 1, this::bind);
    }

    private CpuStep bind() {
        Resources resources = assembly.resources();
        DnnlPrimitive primitive = resources.keep(new DnnlPrimitive(pd));
        Map<Integer, DnnlMemory> bound = new LinkedHashMap<>();
        arguments.forEach((argument, buffer) -> {
            try (DnnlMemoryDesc desc = pd.argument(argument)) {
                bound.put(
                        argument,
                        resources.keep(new DnnlMemory(
                                assembly.onednn().engine(), desc, MemorySegment.ofAddress(buffer.address()))));
            }
        });
        return new Step(
                primitive.handle(),
                assembly.onednn().stream().handle(),
                bound.size(),
                // Without a lifetime, so that calls need not hold the arena open.
                MemorySegment.ofAddress(
                        DnnlPrimitive.arguments(resources.arena(), bound).address()));
    }

    private record Step(MemorySegment primitive, MemorySegment stream, int count, MemorySegment arguments)
            implements CpuStep {
        @Override
        public void run() {
            Dnnl.primitive_execute(primitive, stream, count, arguments);
        }
    }
}
