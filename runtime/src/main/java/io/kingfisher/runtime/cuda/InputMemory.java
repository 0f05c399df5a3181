package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Memory;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.MemorySegment;

/**
 * A program's input: device memory at a fixed address and two pinned copies on the host, so that the host fills one while the
 * device still reads the other. A replay uploads what was touched since the last one.
 */
final class InputMemory implements Memory {
    private final CudaDevice device;
    private final long address;
    private final MemorySegment[] slots;
    /** For each slot the event after its last upload; 0 where there was none. */
    private final long[] events = new long[2];

    private int latest;
    private boolean touched = true;

    /** Starts as zeros, which the pinned memory must hold and the first replay uploads. */
    InputMemory(CudaDevice device, long address, MemorySegment first, MemorySegment second) {
        this.device = device;
        this.address = address;
        this.slots = new MemorySegment[] {first, second};
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment host(Access access) {
        if (access != Access.READ && !touched) {
            int free = 1 - latest;
            if (events[free] != 0) {
                device.await(events[free]);
            }
            if (access == Access.UPDATE) {
                slots[free].copyFrom(slots[latest]);
            }
            latest = free;
            touched = true;
        }
        return slots[latest];
    }

    /** Whether {@link #upload} has something to do. */
    boolean touched() {
        return touched;
    }

    /** Uploads the latest contents; {@code event} is recorded after it. */
    void upload(Driver driver, long stream, long event) {
        driver.upload(address, slots[latest], stream);
        events[latest] = event;
        touched = false;
    }

    @Override
    public void read(long offset, MemorySegment to) {
        throw new IllegalStateException("the host addresses inputs itself");
    }

    @Override
    public void write(long offset, MemorySegment from) {
        throw new IllegalStateException("the host addresses inputs itself");
    }

    @Override
    public void free() {}
}
