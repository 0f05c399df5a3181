package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;

/**
 * The cross-entropy of logits [N x C] with I32 labels [N], row by row: the loss [N] and the logarithm of the sum of
 * exponentials [N]. With smoothing e the target is 1 - e on the label and e / C everywhere (Szegedy et al., 2016). A row
 * whose label is {@code ignoredLabel} has loss 0; one with a label outside 0 .. C - 1 has loss NaN.
 */
public record SoftmaxCrossEntropy(double smoothing, int ignoredLabel) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Shape logits = inputs.get(0).shape();
        if (logits.rank() != 2
                || !inputs.get(0).dtype().floating()
                || !inputs.get(1).equals(new Type(DType.I32, logits.slice(0, 1)))) {
            throw new KingfisherException(
                    "Cross-entropy takes floating logits [N x C] and I32 labels [N], not " + inputs + ".");
        }
        Type row = new Type(inputs.get(0).dtype(), logits.slice(0, 1));
        return List.of(row, row);
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value x = inputs.get(0), labels = inputs.get(1);
        Value shift = x.max(-1).detach();
        Value lse = x.sub(LayerNorm.column(shift)).exp().sum(-1).log().add(shift);
        Value hit = labelled(x, labels);
        Value logit = hit.mul(x).sum(-1);
        Expr target = Expr.arg(0).mul(1 - smoothing).add(Expr.arg(1).mul(smoothing));
        Expr loss = Expr.arg(2).sub(target);
        Value row = x.graph()
                .map(guarded(loss, Expr.arg(3), (int) x.dim(1)), x.dtype(), List.of(logit, x.mean(-1), lse, labels));
        return List.of(row, lse);
    }

    /** The expression where the label is valid, 0 where it is ignored, NaN elsewhere. */
    Expr guarded(Expr e, Expr label, int classes) {
        Expr valid = Expr.of(0).lessOrEqual(label).mul(label.lessThan(Expr.of(classes)));
        return Expr.select(
                label.equalTo(Expr.of(ignoredLabel)), Expr.of(0), Expr.select(valid, e, Expr.of(Double.NaN)));
    }

    /** 1 where the column is the row's label, else 0: [N x C]. */
    static Value labelled(Value x, Value labels) {
        Value columns = x.graph().iota(DType.I32, (int) x.dim(1));
        return x.graph().map(Expr.arg(0).equalTo(Expr.arg(1)), x.dtype(), List.of(columns, LayerNorm.column(labels)));
    }

    @Override
    public List<Value> fusedVjp(Node node, List<Value> gradients) {
        if (gradients.get(0) == null || gradients.get(1) != null) {
            return null;
        }
        Value dx = node.graph()
                .add(new SoftmaxCrossEntropyGrad(this), node.input(0), node.input(1), node.output(1), gradients.get(0))
                .output(0);
        return java.util.Arrays.asList(dx, null);
    }
}
