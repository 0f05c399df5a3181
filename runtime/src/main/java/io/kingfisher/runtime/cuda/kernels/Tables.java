package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.layout.View;
import java.util.List;

/** Rows of tables by index. */
final class Tables {
    private static final int BLOCK = 256;

    private final Sources sources;

    Tables(Sources sources) {
        this.sources = sources;
    }

    private KernelCode code(DType dtype, long elements) {
        return sources.code("gather.cu", dtype, elements, "");
    }

    KernelPlan gather(List<View> inputs, View output) {
        Shape table = inputs.get(0).shape();
        long count = output.shape().elements();
        if (count == 0) {
            return KernelPlan.of();
        }
        long width = table.slice(1, table.rank()).elements();
        return KernelPlan.of(new KernelLaunch(
                code(output.dtype(), count),
                "gather",
                Math.toIntExact(Maps.ceil(count, BLOCK)),
                1,
                1,
                BLOCK,
                0,
                List.of(
                        new Argument.Operand(0),
                        new Argument.Operand(1),
                        new Argument.Operand(2),
                        new Argument.Long(table.dim(0)),
                        sources.index(count, width),
                        sources.index(count, count))));
    }

    KernelPlan scatterAdd(List<View> inputs, View output) {
        if (output.shape().elements() == 0) {
            return KernelPlan.of();
        }
        int n = Math.toIntExact(inputs.get(0).shape().elements());
        int rows = Math.toIntExact(output.shape().dim(0));
        long width = output.shape().elements() / rows;
        KernelCode code = code(output.dtype(), 0);
        Argument indices = new Argument.Operand(0);
        Argument counts = new Argument.Scratch(0), starts = new Argument.Scratch(1);
        Argument cursors = new Argument.Scratch(2),
                positions = new Argument.Scratch(3),
                sorted = new Argument.Scratch(4);
        Argument height = new Argument.Long(rows), length = new Argument.Int(n);
        int blocks = (int) Math.max(1, Maps.ceil(n, BLOCK));
        int columns = (int) Math.min(BLOCK, 32 * Maps.ceil(width, 32));
        return new KernelPlan(
                List.of(
                        launch(code, "count_rows", blocks, BLOCK, indices, counts, height, length),
                        launch(code, "first_positions", 1, 1024, counts, starts, new Argument.Int(rows)),
                        launch(
                                code,
                                "list_positions",
                                blocks,
                                BLOCK,
                                indices,
                                starts,
                                cursors,
                                positions,
                                height,
                                length),
                        launch(
                                code,
                                "add_rows",
                                rows,
                                columns,
                                new Argument.Operand(1),
                                counts,
                                starts,
                                positions,
                                sorted,
                                new Argument.Operand(2),
                                new Argument.Long(width))),
                List.of(4L * rows, 4L * rows, 4L * rows, 4L * Math.max(1, n), 4L * Math.max(1, n)),
                List.of(0, 2));
    }

    static KernelLaunch launch(KernelCode code, String function, int blocks, int block, Argument... arguments) {
        return new KernelLaunch(code, function, blocks, 1, 1, block, 0, List.of(arguments));
    }
}
