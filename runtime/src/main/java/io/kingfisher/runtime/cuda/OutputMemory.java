package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Memory;
import java.lang.foreign.MemorySegment;

/** A small output of a program, downloaded into pinned memory by each replay: who reads it waits for that replay only. */
final class OutputMemory implements Memory {
    private final CudaProgram program;
    private final long address;
    private final MemorySegment pinned;

    OutputMemory(CudaProgram program, long address, MemorySegment pinned) {
        this.program = program;
        this.address = address;
        this.pinned = pinned;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment host(Access access) {
        if (access != Access.READ) {
            throw new KingfisherException(
                    "An output of a program on " + program.device().name()
                            + " can only be read, by get, floats, doubles or read(MemorySegment); write to an input or to a tensor that the program reads.");
        }
        program.awaitReplay();
        return pinned;
    }

    @Override
    public void read(long offset, MemorySegment to) {
        throw new IllegalStateException("the host addresses small outputs itself");
    }

    @Override
    public void write(long offset, MemorySegment from) {
        throw new IllegalStateException("the host addresses small outputs itself");
    }

    @Override
    public void free() {}
}
