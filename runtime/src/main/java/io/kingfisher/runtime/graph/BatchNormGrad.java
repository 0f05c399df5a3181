package io.kingfisher.runtime.graph;

import java.util.List;

/** The gradients (of x, scale and shift) of a {@link BatchNorm}, from x, scale, mean, variance and dy. */
public record BatchNormGrad(double epsilon) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(inputs.get(0), inputs.get(1), inputs.get(1));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0),
                scale = inputs.get(1),
                mean = inputs.get(2),
                variance = inputs.get(3),
                dy = inputs.get(4);
        int[] axes = BatchNorm.axes(x);
        double count = x.reduced(axes);
        Value rstd = variance.add(epsilon).pow(-0.5);
        Value normal = x.sub(BatchNorm.channel(x, mean)).mul(BatchNorm.channel(x, rstd));
        Value dshift = dy.sum(axes);
        Value dscale = dy.mul(normal).sum(axes);
        Value inner = dy.sub(BatchNorm.channel(x, dshift.div(count)))
                .sub(normal.mul(BatchNorm.channel(x, dscale.div(count))));
        return List.of(inner.mul(BatchNorm.channel(x, scale.mul(rstd))), dscale, dshift);
    }
}
