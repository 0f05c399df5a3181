package io.kingfisher.runtime.graph;

import java.util.List;

/** The gradient of a {@link SoftmaxCrossEntropy} with respect to its logits, from logits, labels, log-sum-exp and dloss. */
public record SoftmaxCrossEntropyGrad(SoftmaxCrossEntropy forward) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(inputs.get(0));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0), labels = inputs.get(1), lse = inputs.get(2), dloss = inputs.get(3);
        int classes = (int) x.dim(1);
        Expr logit = Expr.arg(0), hit = Expr.arg(1), sum = Expr.arg(2), weight = Expr.arg(3), label = Expr.arg(4);
        Expr slope = logit.sub(sum)
                .exp()
                .sub(hit.mul(1 - forward.smoothing()).add(forward.smoothing() / classes))
                .mul(weight);
        return List.of(x.graph()
                .map(
                        forward.guarded(slope, label, classes),
                        x.dtype(),
                        List.of(
                                x,
                                SoftmaxCrossEntropy.labelled(x, labels),
                                LayerNorm.column(lse),
                                LayerNorm.column(dloss),
                                LayerNorm.column(labels))));
    }
}
