package io.kingfisher.train.data;

import java.lang.foreign.MemorySegment;

/**
 * One batch in buffers that the loader reuses: valid until the next call of {@link DataLoader#next()},
 * {@link DataLoader#seek} or {@link DataLoader#close()}.
 *
 * <p>The buffers always hold N rows. Where fewer are valid (the last batch of an evaluation), the inputs of the others
 * are zero and their targets {@link DataLoader#IGNORE}, as are the targets beyond the end of a text's last window.
 */
public final class Batch {
    final MemorySegment inputs;
    final MemorySegment targets;
    private final int slot;
    int epoch;
    int index;
    int size;
    int targetCount;
    boolean last;

    Batch(MemorySegment inputs, MemorySegment targets, int slot) {
        this.inputs = inputs;
        this.targets = targets;
        this.slot = slot;
    }

    /** F32 [N,C,H,W], normalised, for images; I32 [N,T] for text. */
    public MemorySegment inputs() {
        return inputs;
    }

    /** I32 [N] for images; I32 [N,T] for text. */
    public MemorySegment targets() {
        return targets;
    }

    /** Which of the loader's buffers this is, from 0: the same number always means the same memory. */
    public int slot() {
        return slot;
    }

    /** Valid rows, the first ones. */
    public int size() {
        return size;
    }

    /** Targets that are not {@link DataLoader#IGNORE}: rows for images, tokens for text. */
    public int targetCount() {
        return targetCount;
    }

    /** Passes completed before this batch's. */
    public int epoch() {
        return epoch;
    }

    /** Batches of this epoch before this one. */
    public int index() {
        return index;
    }

    /** Whether this is the last batch of its epoch. */
    public boolean isLast() {
        return last;
    }
}
