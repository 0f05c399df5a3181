package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.Shape;
import java.util.List;

/** The gradients (of x, scale and shift) of a {@link LayerNorm}, from x, scale, mean, reciprocal deviation and dy. */
public record LayerNormGrad() implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(inputs.get(0), inputs.get(1), inputs.get(1));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0), scale = inputs.get(1), mean = inputs.get(2), rstd = inputs.get(3), dy = inputs.get(4);
        Value normal = x.sub(LayerNorm.column(mean)).mul(LayerNorm.column(rstd));
        Shape row = Shape.of(x.dim(-1));
        Value scaled = dy.mul(scale);
        Value inner = scaled.sub(LayerNorm.column(scaled.mean(-1)))
                .sub(normal.mul(LayerNorm.column(scaled.mul(normal).mean(-1))));
        return List.of(inner.mul(LayerNorm.column(rstd)), dy.mul(normal).sumTo(row), dy.sumTo(row));
    }
}
