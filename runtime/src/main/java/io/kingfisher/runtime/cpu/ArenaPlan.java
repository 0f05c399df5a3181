package io.kingfisher.runtime.cpu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Places buffers in one block so that those that are alive at the same time do not overlap. Large buffers come first, each at
 * the lowest gap that holds it (greedy by size: Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference,
 * 2020).
 */
final class ArenaPlan {
    private static final long ALIGNMENT = 64;

    private record Placed(Buffer buffer, long offset) {
        long end() {
            return offset + size(buffer);
        }
    }

    private final Map<Buffer, Long> offsets = new IdentityHashMap<>();
    private long bytes;

    ArenaPlan(List<Buffer> buffers) {
        List<Buffer> order = new ArrayList<>(buffers);
        order.sort(Comparator.comparingLong(Buffer::bytes).reversed());
        List<Placed> placed = new ArrayList<>();
        for (Buffer buffer : order) {
            long offset = 0;
            for (Placed other : placed) {
                if (overlap(buffer, other.buffer())) {
                    if (other.offset() >= offset + size(buffer)) {
                        break;
                    }
                    offset = Math.max(offset, other.end());
                }
            }
            Placed place = new Placed(buffer, offset);
            int at = java.util.Collections.binarySearch(placed, place, Comparator.comparingLong(Placed::offset));
            placed.add(at < 0 ? -at - 1 : at, place);
            offsets.put(buffer, offset);
            bytes = Math.max(bytes, place.end());
        }
    }

    private static long size(Buffer buffer) {
        return Math.max(ALIGNMENT, (buffer.bytes() + ALIGNMENT - 1) & -ALIGNMENT);
    }

    private static boolean overlap(Buffer a, Buffer b) {
        return a.kind() == Buffer.Kind.PINNED
                || b.kind() == Buffer.Kind.PINNED
                || (a.first() <= b.last() && b.first() <= a.last());
    }

    /** The size of the block. */
    long bytes() {
        return bytes;
    }

    /** Tells every buffer its address in a block that starts at {@code base}. */
    void place(long base) {
        offsets.forEach((buffer, offset) -> buffer.place(base + offset));
    }
}
