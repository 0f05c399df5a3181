package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * The cross-entropy of logits [... x C] and labels I32 [...] in nats, its mean over the labels that are not ignored. A label
 * that is neither ignored nor one of 0 to C - 1 makes the loss NaN.
 *
 * @param smoothing the share of the target that is spread over all classes (Szegedy et al., 2016), in [0, 1)
 * @param ignoreIndex the label of rows that do not count, as those that only fill up a batch
 */
public record CrossEntropy(double smoothing, int ignoreIndex) implements Loss {
    /** PyTorch's label for rows that do not count. */
    public static final int IGNORE_INDEX = -100;

    public CrossEntropy {
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new KingfisherException("Label smoothing is at least 0 and less than 1, not " + smoothing + ".");
        }
    }

    public CrossEntropy() {
        this(0, IGNORE_INDEX);
    }

    @Override
    public LossValue apply(Recording r, Value logits, Value labels) {
        Value rows = rows(logits, labels);
        Value flat = labels.reshape(labels.shape().elements());
        Value losses = r.graph()
                .add(new SoftmaxCrossEntropy(smoothing, ignoreIndex), rows, flat)
                .output(0);
        Value valid = valid(flat), count = valid.sum();
        return LossValue.of(losses.sum(), count, List.of(new SoftmaxLikelihood(rows, valid, count)));
    }

    /** 1 for each label that counts, else 0, F32 of the labels' shape. */
    public Value valid(Value labels) {
        Expr ignored = Expr.arg(0).equalTo(Expr.of(ignoreIndex));
        return labels.graph().map(Expr.of(1).sub(ignored), labels);
    }

    /**
     * The number of rows, an F32 scalar, whose label is among the {@code k} largest logits. Among equal logits the first
     * counts as larger; a NaN counts as larger than the label's. Ignored rows do not count.
     */
    public Value correct(Value logits, Value labels, int k) {
        if (k < 1) {
            throw new KingfisherException("The number of guesses is at least 1, not " + k + ".");
        }
        Value rows = rows(logits, labels);
        long n = rows.dim(0);
        int classes = Math.toIntExact(rows.dim(1));
        Value column = labels.reshape(n, 1), index = labels.graph().iota(DType.I32, classes);
        Expr x = Expr.arg(0), j = Expr.arg(1), label = Expr.arg(2), own = Expr.arg(3);
        Value target = labels.graph()
                .map(Expr.select(j.equalTo(label), x, Expr.of(0)), rows, index, column)
                .sum(1)
                .reshape(n, 1);
        // Not beaten: a smaller logit, or an equal one at or behind the label. Whatever else there is, NaN too, beats
        // it.
        Expr behind = x.equalTo(own).mul(label.lessOrEqual(j));
        Value rank = labels.graph()
                .map(Expr.of(1).sub(x.lessThan(own).max(behind)), rows, index, column, target)
                .sum(1)
                .reshape(n, 1);
        Expr inside = Expr.of(0).lessOrEqual(Expr.arg(1)).mul(Expr.arg(1).lessThan(Expr.of(classes)));
        Expr counts = inside.mul(Expr.of(1).sub(Expr.arg(1).equalTo(Expr.of(ignoreIndex))));
        Expr number = Expr.arg(2).equalTo(Expr.arg(2));
        return labels.graph()
                .map(Expr.arg(0).lessThan(Expr.of(k)).mul(counts).mul(number), rank, column, target)
                .sum();
    }

    /** The logits as [rows x C]. */
    private static Value rows(Value logits, Value labels) {
        Shape leading = logits.shape().slice(0, Math.max(logits.rank() - 1, 0));
        if (logits.rank() < 2 || labels.dtype() != DType.I32 || !labels.shape().equals(leading)) {
            throw new KingfisherException("Cross-entropy takes logits [... x C] and labels I32 [...], not "
                    + logits.type() + " and " + labels.type() + ".");
        }
        return logits.reshape(leading.elements(), logits.dim(-1));
    }
}
