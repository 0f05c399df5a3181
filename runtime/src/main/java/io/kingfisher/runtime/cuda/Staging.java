package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.MemorySegment;

/**
 * A ring of pinned memory for small writes to tensors, such as a learning rate before each step: the host does not wait for
 * the device unless it is a whole ring ahead. Guarded by the device's lock.
 */
final class Staging {
    /** The largest write that goes through the ring. */
    static final int SLOT = 4 << 10;

    private static final int SLOTS = 64;

    private final Driver driver;
    private final MemorySegment memory;
    private final long[] events = new long[SLOTS];
    private int next;
    private boolean around;

    Staging(Driver driver) {
        this.driver = driver;
        memory = driver.allocatePinned((long) SLOT * SLOTS);
        for (int i = 0; i < SLOTS; i++) {
            events[i] = driver.createEvent(false);
        }
    }

    void write(long to, MemorySegment from, long stream) {
        if (around) {
            driver.synchronizeEvent(events[next]);
        }
        MemorySegment slot = memory.asSlice((long) next * SLOT, from.byteSize()).copyFrom(from);
        driver.upload(to, slot, stream);
        driver.record(events[next], stream);
        next = (next + 1) % SLOTS;
        around |= next == 0;
    }

    void free() {
        for (long event : events) {
            driver.destroyEvent(event);
        }
        driver.freePinned(memory);
    }
}
