package io.kingfisher.nativebindings;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Memory from the C library, until it is closed. {@link NativeMemory#allocate} makes it. */
public final class NativeBlock implements AutoCloseable {
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    NativeBlock(MemorySegment segment) {
        this.segment = segment;
    }

    /**
     * Returns the memory. The segment does not know when the block is closed: whoever closes it makes sure that nothing
     * uses it any more.
     *
     * @throws IllegalStateException if the block is closed
     */
    public MemorySegment segment() {
        if (closed.get()) {
            throw new IllegalStateException("this native memory has been closed");
        }
        return segment;
    }

    /** Returns the address of the first byte; see {@link #segment()}. */
    public long address() {
        return segment().address();
    }

    /** Returns the size in bytes. */
    public long bytes() {
        return segment.byteSize();
    }

    /** Gives the memory back; the second time does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            NativeMemory.free(segment);
        }
    }
}
