package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Operand;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Type;
import java.util.List;

/** Rows of tables: gathering them, and adding rows to them. */
final class Tables {
    private Tables() {}

    static Kernel gather(Workers workers, Type table, Type indices) {
        long rows = table.shape().dim(0);
        DType dtype = table.dtype();
        long width = table.shape().slice(1, table.shape().rank()).elements();
        long bytes = width * dtype.bytes(), count = indices.shape().elements();
        int parts = MapStep.parts(workers, count * (width + 16));
        return at -> {
            long from = at[0], index = at[1], to = at[2];
            Workers.Task task = part -> {
                for (long i = count * part / parts; i < count * (part + 1) / parts; i++) {
                    int row = Memory.i32(index + 4 * i);
                    if (row >= 0 && row < rows) {
                        Memory.copy(from + row * bytes, to + i * bytes, bytes);
                    } else {
                        for (long j = 0; j < width; j++) {
                            Memory.set(dtype, to + i * bytes + j * dtype.bytes(), Double.NaN);
                        }
                    }
                }
            };
            return () -> workers.run(task, parts);
        };
    }

    /** Every part goes through all indices and adds what belongs to its share of the rows: the order is that of one thread. */
    static Kernel scatterAdd(KernelEngine engine, Type indices, Type table) {
        DType dtype = table.dtype();
        Kind kind = dtype == DType.F64 ? Kind.D : Kind.F;
        long rows = table.shape().dim(0);
        long width = table.shape().slice(1, table.shape().rank()).elements();
        long bytes = width * dtype.bytes(), count = indices.shape().elements();
        Code code = new Code();
        int sum = Lowering.lower(code, kind, List.of(Expr.arg(0).add(Expr.arg(1))))[0];
        Operand row = new Operand(dtype, Access.ELEMENTS);
        AdaptiveLoop add = engine.loop(new LoopSpec(
                code.insts(), kind, List.of(row, row), List.of(new Result(sum, dtype, Access.ELEMENTS, null))));
        Workers workers = engine.workers();
        int parts = MapStep.parts(workers, (count + rows) * width);
        return at -> {
            add.ready();
            long index = at[0], from = at[1], to = at[2];
            long[] steps = new long[6];
            long[][] cursors = new long[parts][3];
            Workers.Task task = part -> {
                long first = rows * part / parts, last = rows * (part + 1) / parts;
                long[] cursor = cursors[part];
                Memory.zero(to + first * bytes, (last - first) * bytes);
                for (long i = 0; i < count; i++) {
                    int r = Memory.i32(index + 4 * i);
                    if (r >= first && r < last) {
                        cursor[0] = to + r * bytes;
                        cursor[1] = from + i * bytes;
                        cursor[2] = cursor[0];
                        add.run(cursor, steps, 1, Math.toIntExact(width));
                    }
                }
            };
            return () -> workers.run(task, parts);
        };
    }
}
