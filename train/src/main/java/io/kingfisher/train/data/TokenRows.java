package io.kingfisher.train.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies windows of tokens, and the same windows one token later as targets. */
final class TokenRows implements RowWriter {
    private final TokenDataset tokens;
    private final boolean randomWindows;
    private final int context;
    private final Philox random;

    TokenRows(TokenDataset tokens, boolean randomWindows, long seed) {
        this.tokens = tokens;
        this.randomWindows = randomWindows;
        this.context = tokens.context();
        this.random = new Philox(seed);
    }

    @Override
    public int write(int index, int epoch, int position, int row, MemorySegment inputs, MemorySegment targets) {
        int start = randomWindows
                ? random.at(position, epoch, RandomStreams.WINDOW).nextInt(tokens.tokenCount() - context)
                : index * context;
        int count = Math.min(context, tokens.tokenCount() - 1 - start);
        long offset = (long) row * context * Integer.BYTES;
        tokens.read(start, count, inputs, offset);
        tokens.read(start + 1, count, targets, offset);
        fill(row, count, inputs, targets);
        return count;
    }

    @Override
    public void blank(int row, MemorySegment inputs, MemorySegment targets) {
        fill(row, 0, inputs, targets);
    }

    private void fill(int row, int from, MemorySegment inputs, MemorySegment targets) {
        for (long i = (long) row * context + from; i < (row + 1L) * context; i++) {
            inputs.setAtIndex(ValueLayout.JAVA_INT, i, 0);
            targets.setAtIndex(ValueLayout.JAVA_INT, i, DataLoader.IGNORE);
        }
    }
}
