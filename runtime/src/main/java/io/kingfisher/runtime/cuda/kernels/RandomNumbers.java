package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Random;
import java.util.List;

/** Random numbers, four by each thread. */
final class RandomNumbers {
    private RandomNumbers() {}

    static KernelPlan plan(Sources sources, Random op) {
        long count = op.shape().elements();
        if (count == 0) {
            return KernelPlan.of();
        }
        String function = switch (op.distribution()) {
            case UNIFORM -> "uniform";
            case NORMAL -> "normal_numbers";
            case RADEMACHER -> "rademacher";
        };
        return KernelPlan.of(new KernelLaunch(
                new KernelCode("random.cu", sources.text("random.cu")),
                function,
                Math.toIntExact(Maps.ceil(count, 4 * 256)),
                1,
                1,
                256,
                0,
                List.of(
                        new Argument.Operand(0),
                        new Argument.Operand(1),
                        new Argument.Int(op.stream()),
                        new Argument.Long(count))));
    }
}
