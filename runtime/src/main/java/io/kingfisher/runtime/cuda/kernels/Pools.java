package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Pooling of images however they lie in memory. */
final class Pools {
    private Pools() {}

    static KernelPlan plan(Sources sources, Pool op, List<View> inputs, List<View> outputs) {
        boolean back = op instanceof Pool.MaxPool2dGrad || op instanceof Pool.AvgPool2dGrad;
        View written = outputs.get(0);
        long count = written.shape().elements();
        if (count == 0) {
            return KernelPlan.of();
        }
        Shape image = back ? written.shape() : inputs.get(0).shape();
        Shape pooled = back ? inputs.get(0).shape() : written.shape();
        List<Entry> table = new ArrayList<>();
        for (long extent : new long[] {image.dim(1), image.dim(2), image.dim(3), pooled.dim(2), pooled.dim(3)}) {
            table.add(new Entry.Number(extent));
        }
        List<View> operands = Stream.concat(inputs.stream(), outputs.stream()).toList();
        List<Argument> arguments = new ArrayList<>();
        for (int i = 0; i < operands.size(); i++) {
            table.add(new Entry.Number(operands.get(i).offset()));
            operands.get(i).strides().forEach(stride -> table.add(new Entry.Number(stride)));
            arguments.add(new Argument.Operand(i));
        }
        arguments.add(new Argument.Table(table));
        arguments.add(new Argument.Long(count));
        Pool.Window w = op.window();
        boolean channelsLast = written.strides().get(1) == 1 && written.shape().dim(1) != 1;
        String constants = "const int KERNEL_H = " + w.kernelH() + ", KERNEL_W = " + w.kernelW() + ";\n"
                + "const int STRIDE_H = " + w.strideH() + ", STRIDE_W = " + w.strideW() + ";\n"
                + "const int PADDING_H = " + w.paddingH() + ", PADDING_W = " + w.paddingW() + ";\n"
                + "const bool CHANNELS_LAST = " + channelsLast + ";\n";
        String function = switch (op) {
            case Pool.MaxPool2d _ -> "max_pool";
            case Pool.MaxPool2dGrad _ -> "max_pool_gradient";
            case Pool.MaxPool2dGather _ -> "max_pool_gather";
            case Pool.AvgPool2d _ -> "average_pool";
            case Pool.AvgPool2dGrad _ -> "average_pool_gradient";
        };
        return KernelPlan.of(new KernelLaunch(
                sources.code("pool.cu", inputs.get(0).dtype(), count, constants),
                function,
                Math.toIntExact(Maps.ceil(count, 256)),
                1,
                1,
                256,
                0,
                arguments));
    }
}
