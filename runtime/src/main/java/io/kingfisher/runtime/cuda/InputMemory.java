package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Memory;
import java.lang.foreign.MemorySegment;

/** One of a program's {@link Inputs}: two pinned copies on the host, so that the host fills one while the other is uploaded. */
final class InputMemory implements Memory {
    private final CudaDevice device;
    private final long base, offset;
    private final MemorySegment[] copies;
    /** For each copy the event after its last upload; 0 where there was none. */
    private final long[] events = new long[2];

    private int latest;
    private boolean touched = true;

    /**
     * Starts as zeros, which the pinned memory must hold and the first replay uploads.
     *
     * @param base where the program's inputs begin on the device
     * @param offset of this one among them
     */
    InputMemory(CudaDevice device, long base, long offset, MemorySegment first, MemorySegment second) {
        this.device = device;
        this.base = base;
        this.offset = offset;
        this.copies = new MemorySegment[] {first, second};
    }

    @Override
    public long address() {
        return base + offset;
    }

    long offset() {
        return offset;
    }

    @Override
    public MemorySegment host(Access access) {
        if (access != Access.READ && !touched) {
            int free = 1 - latest;
            if (events[free] != 0) {
                device.await(events[free]);
            }
            if (access == Access.UPDATE) {
                copies[free].copyFrom(copies[latest]);
            }
            latest = free;
            touched = true;
        }
        return copies[latest];
    }

    /** Whether the host has changed it since its last upload. */
    boolean touched() {
        return touched;
    }

    /** Which copy holds the latest contents. */
    int latest() {
        return latest;
    }

    /** The latest contents. */
    MemorySegment pinned() {
        return copies[latest];
    }

    /** Notes that the latest contents are on their way until {@code event}. */
    void uploaded(long event) {
        events[latest] = event;
        touched = false;
    }

    @Override
    public void read(long at, MemorySegment to) {
        throw new IllegalStateException("the host addresses inputs itself");
    }

    @Override
    public void write(long at, MemorySegment from) {
        throw new IllegalStateException("the host addresses inputs itself");
    }

    @Override
    public void free() {}
}
