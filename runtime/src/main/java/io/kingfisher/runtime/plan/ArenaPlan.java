package io.kingfisher.runtime.plan;

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
public final class ArenaPlan {
    private record Placed(Buffer buffer, long offset, long end) {}

    private final long alignment;
    private final Map<Buffer, Long> offsets = new IdentityHashMap<>();
    private long bytes;

    /**
     * Places buffers whose lifetimes are known.
     *
     * @param alignment of every buffer, a power of two
     */
    public ArenaPlan(List<Buffer> buffers, long alignment) {
        this.alignment = alignment;
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
            Placed place = new Placed(buffer, offset, offset + size(buffer));
            int at = java.util.Collections.binarySearch(placed, place, Comparator.comparingLong(Placed::offset));
            placed.add(at < 0 ? -at - 1 : at, place);
            offsets.put(buffer, offset);
            bytes = Math.max(bytes, place.end());
        }
    }

    private long size(Buffer buffer) {
        return Math.max(alignment, (buffer.bytes() + alignment - 1) & -alignment);
    }

    private static boolean overlap(Buffer a, Buffer b) {
        return a.kind() == Buffer.Kind.PINNED
                || b.kind() == Buffer.Kind.PINNED
                || (a.first() <= b.last() && b.first() <= a.last());
    }

    /** The size of the block. */
    public long bytes() {
        return bytes;
    }

    /** Where a buffer is in the block. */
    public long offset(Buffer buffer) {
        return offsets.get(buffer);
    }

    /** Tells every buffer its address in a block that starts at {@code base}. */
    public void place(long base) {
        offsets.forEach((buffer, offset) -> buffer.place(base + offset));
    }
}
