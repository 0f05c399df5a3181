package io.kingfisher.train.data;

import java.lang.foreign.MemorySegment;

/** Writes single rows of a batch. One instance per worker: it has scratch memory of its own and allocates nothing. */
sealed interface RowWriter permits ImageRows, TokenRows {
    /**
     * Writes one row.
     *
     * @param index the sample in the data set
     * @param epoch with {@code position}: the key of everything random about the row
     * @param position of the sample in the epoch
     * @param row where it goes
     * @return targets of the row that are not {@link DataLoader#IGNORE}
     */
    int write(int index, int epoch, int position, int row, MemorySegment inputs, MemorySegment targets);

    /** Fills a row that holds no sample. */
    void blank(int row, MemorySegment inputs, MemorySegment targets);
}
