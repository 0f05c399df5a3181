package io.kingfisher.runtime.cpu.kernels;

/** A generated loop over rows of elements. */
interface Loop {
    /**
     * Runs rows of n elements each.
     *
     * @param at the address of each operand's first element: inputs, then results
     * @param steps for each operand the bytes from one element to the next (read only where the access is STRIDED), then for
     *     each operand the bytes from one row to the next
     */
    void run(long[] at, long[] steps, int rows, int n);
}
