package io.kingfisher.runtime.cpu.kernels;

import java.lang.foreign.MemorySegment;

/**
 * Transformed tiles in memory: for each of the 36 places of a tile a row-major matrix [tiles x channels]. The matrices lie a
 * cache line further apart than their size, so that the same element of all 36 does not fall on the same lines of a cache.
 */
record Transformed(int tiles, int channels) {
    static final int PLACES = WinogradTransform.POINTS * WinogradTransform.POINTS;

    private static final long LINE = 64;

    /** The bytes from one matrix to the next. */
    long pitch() {
        long bytes = (long) tiles * channels * Float.BYTES;
        return (bytes + LINE - 1) / LINE * LINE + LINE;
    }

    long bytes() {
        return PLACES * pitch();
    }

    /** Where each matrix begins, from a row and a column on. */
    MemorySegment[] matrices(long address, int row, int column) {
        MemorySegment[] result = new MemorySegment[PLACES];
        for (int place = 0; place < PLACES; place++) {
            result[place] =
                    MemorySegment.ofAddress(address + place * pitch() + ((long) row * channels + column) * Float.BYTES);
        }
        return result;
    }
}
