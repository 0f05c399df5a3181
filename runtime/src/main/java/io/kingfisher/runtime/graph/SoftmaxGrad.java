package io.kingfisher.runtime.graph;

import java.util.List;

/** The gradient of a {@link Softmax} from its result y and dy: y (dy - sum y dy). */
public record SoftmaxGrad() implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(inputs.get(0));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value y = inputs.get(0), dy = inputs.get(1);
        return List.of(y.mul(dy.sub(y.mul(dy).reduce(Reduce.Kind.SUM, true, -1))));
    }
}
