package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.graph.Reduce;
import java.util.List;

/** A reduction over memory: units in parallel, then the partial results of each output in order. */
final class ReduceStep implements CpuStep {
    private final Workers workers;
    private final ReducePlan plan;
    private final AdaptiveLoop loop;
    private final Reduce.Kind[] kinds;
    private final DType[] dtypes;
    private final long[] start;
    private final int operands;
    private final int accumulators;
    private final long scratch, partBytes, partials;
    private final int parts;
    private final long units, pieces, piece, groups, rows, chunks, inner, width, reducedRows, rowsTogether;
    /** Whether the last of the rows that run together is shorter. */
    private final boolean shortLast;

    private final long[] steps;
    /** For each part the addresses of the operands, then those that a loop takes. */
    private final long[][] cursors, loops;

    private final Workers.Task work = this::units, finish = this::finish;

    ReduceStep(
            Workers workers,
            ReducePlan plan,
            AdaptiveLoop loop,
            List<Reduce.Kind> kinds,
            List<DType> dtypes,
            long[] start,
            long scratch,
            int parts) {
        this.workers = workers;
        this.plan = plan;
        this.loop = loop;
        this.kinds = kinds.toArray(Reduce.Kind[]::new);
        this.dtypes = dtypes.toArray(DType[]::new);
        this.start = start;
        this.operands = loop.spec().operands();
        this.accumulators = plan.accumulators(loop.spec());
        this.scratch = scratch;
        this.partBytes = plan.partBytes(loop.spec());
        this.partials = scratch + partBytes * parts;
        this.parts = parts;
        this.units = plan.units();
        this.pieces = plan.pieces();
        this.piece = plan.piece();
        this.groups = plan.groups();
        this.rows = plan.rows();
        this.chunks = plan.chunks();
        this.inner = plan.inner().inner();
        this.width = plan.width();
        this.shortLast = plan.lastRow() < inner;
        this.reducedRows = plan.reduced().elements();
        Nest reduced = plan.reduced();
        this.rowsTogether = reduced.rank() == 0 ? 1 : reduced.inner();
        this.steps = new long[2 * operands];
        for (int k = 0; k < plan.inputs(); k++) {
            steps[k] = plan.inner().strides()[k][0];
            steps[operands + k] = reduced.rank() == 0 ? 0 : reduced.strides()[k][reduced.rank() - 1];
        }
        this.cursors = new long[parts][start.length];
        this.loops = new long[parts][operands];
    }

    @Override
    public void run() {
        workers.run(work, parts);
        if (chunks > 1) {
            workers.run(finish, parts);
        }
    }

    private void units(int part) {
        for (long unit = units * part / parts; unit < units * (part + 1) / parts; unit++) {
            unit(part, unit);
        }
    }

    private long accumulators(int part, int result) {
        return scratch + part * partBytes + (long) result * accumulators * plan.bytes();
    }

    /** Units run over the outputs, in each over the pieces of its innermost axis, in each over the groups of rows. */
    private void unit(int part, long unit) {
        long group = groups == 1 ? 0 : unit % groups;
        long rest = groups == 1 ? unit : unit / groups;
        long p = pieces == 1 ? 0 : rest % pieces;
        long output = pieces == 1 ? rest : rest / pieces;
        long n = Math.min(piece, inner - p * piece);
        int results = kinds.length;
        for (int r = 0; r < results; r++) {
            int count = plan.fold() ? accumulators : (int) n;
            Folds.fill(accumulators(part, r), count, plan.bytes(), Folds.nothing(kinds[r]));
        }
        accumulate(part, output, p, group, n);
        for (int r = 0; r < results; r++) {
            long from = accumulators(part, r);
            if (plan.fold()) {
                double total = Folds.all(kinds[r], from, plan.bytes(), accumulators);
                if (chunks == 1) {
                    Memory.set(dtypes[r], output(part, r, output, 0), total);
                } else {
                    Memory.f64(partial(r, output) + 8 * (group * pieces + p), total);
                }
                continue;
            }
            long to = chunks == 1
                    ? output(part, r, output, p * piece)
                    : partial(r, output) + 8 * (group * width + p * piece);
            long step = chunks == 1 ? plan.inner().strides()[plan.inputs() + r][0] : 8;
            DType dtype = chunks == 1 ? dtypes[r] : DType.F64;
            for (int i = 0; i < Math.min(n, width); i++) {
                double total = Folds.get(from + (long) i * plan.bytes(), plan.bytes());
                for (long j = i + width; j < n; j += width) {
                    total = Folds.join(kinds[r], total, Folds.get(from + j * plan.bytes(), plan.bytes()));
                }
                Memory.set(dtype, to + i * step, total);
            }
        }
    }

    private void accumulate(int part, long output, long p, long group, long n) {
        int results = kinds.length, inputs = plan.inputs();
        long[] at = cursors[part], loopAt = loops[part];
        long row = group * rows, end = Math.min(row + rows, reducedRows);
        while (row < end) {
            System.arraycopy(start, 0, at, 0, at.length);
            plan.kept().advance(output, at);
            plan.reduced().advance(row, at);
            plan.inner().advance(p * piece, at);
            System.arraycopy(at, 0, loopAt, 0, inputs);
            for (int r = 0; r < results; r++) {
                loopAt[operands - results + r] = accumulators(part, r);
                if (!plan.fold()) {
                    loopAt[inputs + r] = accumulators(part, r);
                }
            }
            long count = row == 0 && end <= rowsTogether ? end : Math.min(end - row, rowsTogether - row % rowsTogether);
            boolean last = shortLast && (row + count) % rowsTogether == 0;
            if (last && count > 1) {
                count--;
                last = false;
            }
            loop.run(loopAt, steps, (int) count, last ? (int) plan.lastRow() : (int) n);
            row += count;
        }
    }

    /** The address of an output's element. */
    private long output(int part, int result, long output, long column) {
        long[] at = cursors[part];
        System.arraycopy(start, 0, at, 0, at.length);
        plan.kept().advance(output, at);
        plan.inner().advance(column, at);
        return at[plan.inputs() + result];
    }

    /** The address of the partial results of an output, or of a row of outputs. */
    private long partial(int result, long output) {
        return partials + 8 * chunks * width * (result * plan.kept().elements() + output);
    }

    /** Joins the partial results of a part of the outputs. */
    private void finish(int part) {
        long total = plan.kept().elements() * width;
        for (int r = 0; r < kinds.length; r++) {
            for (long i = total * part / parts; i < total * (part + 1) / parts; i++) {
                long output = i / width, column = i % width;
                long from = partial(r, output) + 8 * column;
                double result = Memory.f64(from);
                for (long c = 1; c < chunks; c++) {
                    result = Folds.join(kinds[r], result, Memory.f64(from + 8 * width * c));
                }
                Memory.set(dtypes[r], output(part, r, output, plan.fold() ? 0 : column), result);
            }
        }
    }
}
