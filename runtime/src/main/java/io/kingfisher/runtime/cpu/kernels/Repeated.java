package io.kingfisher.runtime.cpu.kernels;

/**
 * Reductions of short rows to one row, such as [N x 6] to [6], walk memory as if it had longer rows that hold several: the
 * same accumulators in other words repeat every {@code width} elements.
 *
 * @param nest the axes with the longer rows
 * @param width the elements of an original row
 * @param lastRow the elements in the last of the longer rows
 */
record Repeated(Nest nest, long width, long lastRow) {
    /** Rows of at least this many elements, so that loops over them are worth starting. */
    private static final int LONG = 128;

    /** Whole vectors on every machine, so that all machines make the same sums. */
    private static final int MULTIPLE = 16;

    private static final int SHORT = 64;

    /** The nest as it is, or with longer rows where its last axis is short and every input runs on through the one before. */
    static Repeated of(Nest nest, int inputs) {
        int last = nest.rank() - 1;
        long width = nest.inner();
        Repeated same = new Repeated(nest, width, width);
        if (last < 1 || nest.groups()[last] != 0 || nest.groups()[last - 1] != 1 || width >= SHORT) {
            return same;
        }
        for (int k = 0; k < inputs; k++) {
            if (nest.strides()[k][last - 1] != width * nest.strides()[k][last]) {
                return same;
            }
        }
        long times = 1;
        while (times * width < LONG || times * width % MULTIPLE != 0) {
            times++;
        }
        long rows = nest.extents()[last - 1];
        if (rows < 2 * times) {
            return same;
        }
        long[] extents = nest.extents().clone();
        long[][] strides = new long[nest.strides().length][];
        for (int k = 0; k < strides.length; k++) {
            strides[k] = nest.strides()[k].clone();
            strides[k][last - 1] *= times;
        }
        extents[last - 1] = (rows + times - 1) / times;
        extents[last] = times * width;
        long lastRow = rows * width - (extents[last - 1] - 1) * extents[last];
        return new Repeated(new Nest(extents, nest.groups(), strides), width, lastRow);
    }
}
