package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.CpuStep;

/** An elementwise kernel over memory: any range of its elements can run by itself. */
final class MapStep implements CpuStep, Workers.Task {
    /** Operations on elements that are worth a thread: some ten microseconds. */
    static final long WORTH_A_THREAD = 1 << 17;

    private static final int MOST = 1 << 30;

    private final Workers workers;
    private final AdaptiveLoop loop;
    private final Nest nest;
    private final long[] start;
    private final long[] steps;
    private final long elements;
    private final long inner;
    private final long rowsTogether;
    private final long[] bounds;
    private final long[][] cursors;

    MapStep(Workers workers, AdaptiveLoop loop, Nest nest, long[] start) {
        this.workers = workers;
        this.loop = loop;
        this.nest = nest;
        this.start = start;
        this.elements = nest.elements();
        this.inner = nest.inner();
        this.rowsTogether = nest.rank() > 1 ? nest.extents()[nest.rank() - 2] : 1;
        int operands = start.length;
        this.steps = new long[2 * operands];
        for (int k = 0; k < operands; k++) {
            long[] strides = nest.strides()[k];
            steps[k] = strides[strides.length - 1];
            steps[operands + k] = strides.length > 1 ? strides[strides.length - 2] : 0;
        }
        this.bounds = split(parts(workers, work()));
        this.cursors = new long[workers.threads() * 2][operands];
    }

    /** An estimate of the time it takes, in operations on elements. */
    long work() {
        return elements * (start.length + loop.spec().code().size());
    }

    static int parts(Workers workers, long work) {
        return workers.threads() == 1 ? 1 : (int) Math.clamp(work / WORTH_A_THREAD, 1, workers.threads() * 2L);
    }

    long elements() {
        return elements;
    }

    /** Where ranges should begin: at a row where rows are many, else at a cache line. */
    private long grain(int parts) {
        return inner * 8 <= elements / parts ? inner : 64;
    }

    private long[] split(int parts) {
        long[] result = new long[parts + 1];
        long grain = grain(parts);
        for (int p = 1; p < parts; p++) {
            result[p] = elements * p / parts / grain * grain;
        }
        result[parts] = elements;
        return result;
    }

    @Override
    public void run() {
        workers.run(this, bounds.length - 1);
    }

    @Override
    public void run(int part) {
        range(part, bounds[part], bounds[part + 1]);
    }

    /** Runs the elements from one place in row-major order to another; the parts that run at once differ. */
    void range(int part, long from, long to) {
        long[] at = cursors[part];
        while (from < to) {
            long column = from % inner, row = from / inner;
            place(at, row, column);
            if (column != 0 || to - from < inner || inner > MOST) {
                long n = Math.min(Math.min(inner - column, to - from), MOST);
                loop.run(at, steps, 1, (int) n);
                from += n;
            } else {
                long rows = Math.min(rowsTogether - row % rowsTogether, (to - from) / inner);
                rows = Math.min(rows, MOST);
                loop.run(at, steps, (int) rows, (int) inner);
                from += rows * inner;
            }
        }
    }

    /** The addresses of the operands' elements in a row and column. */
    private void place(long[] at, long row, long column) {
        int last = nest.rank() - 1;
        for (int k = 0; k < at.length; k++) {
            at[k] = start[k] + column * steps[k];
        }
        for (int axis = last - 1; axis >= 0; axis--) {
            long extent = nest.extents()[axis];
            long index = row % extent;
            row /= extent;
            for (int k = 0; k < at.length; k++) {
                at[k] += index * nest.strides()[k][axis];
            }
        }
    }
}
