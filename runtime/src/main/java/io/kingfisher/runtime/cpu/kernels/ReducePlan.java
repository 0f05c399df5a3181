package io.kingfisher.runtime.cpu.kernels;

/**
 * How a reduction is cut into units of work, by its shape alone. A unit is a chunk of the reduced elements of one output, or
 * of a tile of outputs.
 *
 * @param kept the axes that stay but for the innermost
 * @param reduced the axes that vanish but for the innermost
 * @param inner the axis that loops run along
 * @param fold whether the innermost axis vanishes
 * @param inputs the operands before the outputs
 * @param bytes the size of an accumulator
 * @param tile the outputs of a unit where the innermost axis stays
 * @param width the outputs along the innermost axis: all of it, or fewer where it repeats them (see {@link Repeated})
 * @param lastRow the elements in the last of the rows that run together, the other rows having all of the innermost axis
 */
record ReducePlan(
        Nest kept, Nest reduced, Nest inner, boolean fold, int inputs, int bytes, int tile, long width, long lastRow) {
    /** The elements along the innermost axis that a unit takes. */
    long piece() {
        return Math.min(inner.inner(), fold ? ReduceKernel.CHUNK : tile);
    }

    /** The pieces of the innermost axis. */
    long pieces() {
        return (inner.inner() + piece() - 1) / piece();
    }

    /** The rows of the reduced axes that a unit takes. */
    long rows() {
        long most = fold ? Math.max(1, ReduceKernel.CHUNK / piece()) : ReduceKernel.CHUNK_ROWS;
        return Math.min(most, reduced.elements());
    }

    /** The groups of reduced rows. */
    long groups() {
        return (reduced.elements() + rows() - 1) / rows();
    }

    /** The partial results of each output. */
    long chunks() {
        return fold ? groups() * pieces() : groups();
    }

    long units() {
        return kept.elements() * pieces() * groups();
    }

    long elements() {
        return kept.elements() * reduced.elements() * inner.elements();
    }

    /** The number of accumulators of each result that a unit needs. */
    int accumulators(LoopSpec spec) {
        return fold ? spec.lanes() : (int) piece();
    }

    /** Each thread's own memory: a multiple of a cache line. */
    long partBytes(LoopSpec spec) {
        return ((long) accumulators(spec) * bytes * spec.results().size() + 63) / 64 * 64;
    }

    /** Memory for partial results, none where each output is made by one unit. */
    long partialBytes(int results) {
        if (chunks() == 1) {
            return 0;
        }
        return 8L * results * kept.elements() * chunks() * width;
    }
}
