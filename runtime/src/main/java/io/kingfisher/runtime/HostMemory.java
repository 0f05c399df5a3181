package io.kingfisher.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that the host addresses; freed with its arena where there is one, else by somebody else. */
record HostMemory(MemorySegment segment, Arena arena) implements Memory {
    /** Zeroed memory, aligned to 64 bytes. */
    static HostMemory allocate(long bytes) {
        Arena arena = Arena.ofShared();
        try {
            return new HostMemory(arena.allocate(Math.max(bytes, 1), 64).asSlice(0, bytes), arena);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public long address() {
        return segment.address();
    }

    @Override
    public MemorySegment host(Access access) {
        return segment;
    }

    @Override
    public void read(long offset, MemorySegment to) {
        MemorySegment.copy(segment, offset, to, 0, to.byteSize());
    }

    @Override
    public void write(long offset, MemorySegment from) {
        MemorySegment.copy(from, 0, segment, offset, from.byteSize());
    }

    @Override
    public void free() {
        if (arena != null) {
            arena.close();
        }
    }
}
