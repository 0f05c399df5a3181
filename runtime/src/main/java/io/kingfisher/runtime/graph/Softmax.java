package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import java.util.List;

/** exp(x) / sum exp(x) over the last axis. */
public record Softmax() implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        if (inputs.get(0).shape().rank() < 1 || !inputs.get(0).dtype().floating()) {
            throw new KingfisherException("Softmax takes a floating value with at least one axis, not " + inputs + ".");
        }
        return inputs;
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0);
        // The result does not depend on the shift, so no gradient need flow through it.
        Value shifted = x.sub(x.reduce(Reduce.Kind.MAX, true, -1).detach()).exp();
        return List.of(shifted.div(shifted.reduce(Reduce.Kind.SUM, true, -1)));
    }

    @Override
    public List<Value> fusedVjp(Node node, List<Value> gradients) {
        return gradients.get(0) == null
                ? null
                : node.graph()
                        .add(new SoftmaxGrad(), node.output(0), gradients.get(0))
                        .outputs();
    }
}
