package io.kingfisher.runtime.cpu.kernels;

/** Where a loop's operands begin and how far apart their rows are, filled anew for every call; one for each part that runs. */
final class Cursor {
    /** The operands of the largest transform. */
    private static final int MOST = 12;

    private final long[] at = new long[MOST];
    private final long[] steps = new long[2 * MOST];
    private int operands;

    /** Begins a call of a loop with so many operands. */
    void begin(int count) {
        operands = count;
    }

    /** An operand's address and the bytes from one of its rows to the next. */
    void set(int operand, long address, long rowStep) {
        at[operand] = address;
        steps[operands + operand] = rowStep;
    }

    /** Moves an operand. */
    void move(int operand, long bytes) {
        at[operand] += bytes;
    }

    void run(AdaptiveLoop loop, int rows, int elements) {
        loop.run(at, steps, rows, elements);
    }
}
