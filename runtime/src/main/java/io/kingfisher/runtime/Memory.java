package io.kingfisher.runtime;

import java.lang.foreign.MemorySegment;

/**
 * Where the bytes of a tensor are: what a {@link Device} gives its tensors. Either the host addresses them itself, or it
 * copies.
 */
public interface Memory {
    /** What the host is about to do. */
    enum Access {
        READ,
        /** Write some elements; the others keep their values. */
        UPDATE,
        /** Write all elements. */
        OVERWRITE
    }

    /** The address on the device. */
    long address();

    /** The bytes themselves, for one access; null where the host cannot address them and must copy. */
    MemorySegment host(Access access);

    /** Copies {@code to.byteSize()} bytes from {@code offset} on to the host, after everything that was asked of the device. */
    void read(long offset, MemorySegment to);

    /**
     * Copies {@code from} over the bytes from {@code offset} on, before everything that the device is asked for later;
     * {@code from} may change as soon as the call returns.
     */
    void write(long offset, MemorySegment from);

    void free();
}
