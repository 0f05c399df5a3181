package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Memory;
import java.lang.foreign.MemorySegment;

/** One of a program's small {@link Outputs}, of the last replay or of one before: who reads it waits for that replay only. */
final class OutputMemory implements Memory {
    private final Outputs outputs;
    private final long address;
    private final MemorySegment[] slots;
    private final int back;

    OutputMemory(Outputs outputs, long address, MemorySegment[] slots, int back) {
        this.outputs = outputs;
        this.address = address;
        this.slots = slots;
        this.back = back;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment host(Access access) {
        if (access != Access.READ) {
            throw outputs.readOnly();
        }
        return slots[outputs.await(back)];
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
