package io.kingfisher.runtime.cuda.math;

import java.lang.foreign.MemorySegment;

/** Addresses as the segments that native calls take: made anew only where an address changes, so that replays allocate nothing. */
final class Pointers {
    private final long[] addresses;
    private final MemorySegment[] segments;

    Pointers(int count) {
        addresses = new long[count];
        segments = new MemorySegment[count];
        java.util.Arrays.fill(segments, MemorySegment.NULL);
    }

    MemorySegment of(int index, long address) {
        if (addresses[index] != address) {
            addresses[index] = address;
            segments[index] = MemorySegment.ofAddress(address);
        }
        return segments[index];
    }
}
