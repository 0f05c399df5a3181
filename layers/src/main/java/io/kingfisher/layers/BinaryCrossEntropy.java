package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * The mean over all elements, or over samples of the sum of their elements, of -t log p - (1 - t) log(1 - p), for targets t in
 * [0, 1] of the prediction's shape [N x ...].
 *
 * @param logits whether the prediction is a logit x, p = sigmoid(x), which is exact for large x as well; else it is p in
 *     [0, 1], and logarithms below -100 count as -100, as in PyTorch, where they do not change with p
 * @param summed whether the terms of a sample are added up and only samples averaged, as for the pixels of an image; else
 *     elements are averaged
 */
public record BinaryCrossEntropy(boolean logits, boolean summed) implements Loss {
    /** The mean over all elements. */
    public BinaryCrossEntropy(boolean logits) {
        this(logits, false);
    }

    @Override
    public LossValue apply(Recording r, Value prediction, Value target) {
        Expr x = Expr.arg(0), t = Expr.arg(1), one = Expr.of(1);
        Expr term = logits
                ? x.softplus().sub(x.mul(t))
                : t.mul(boundedLog(x))
                        .add(one.sub(t).mul(boundedLog(one.sub(x))))
                        .neg();
        ElementwiseLikelihood.Kind kind =
                logits ? ElementwiseLikelihood.Kind.LOGIT : ElementwiseLikelihood.Kind.PROBABILITY;
        LossValue elements = MeanSquaredError.overElements(
                "Binary cross-entropy", prediction, target, r.graph().map(term, prediction, target), kind);
        if (!summed) {
            return elements;
        }
        Value samples = r.graph().scalar(prediction.rank() == 0 ? 1 : prediction.dim(0));
        return LossValue.of(
                elements.sum(), samples, List.of(new ElementwiseLikelihood(kind, false, prediction, samples)));
    }

    /** The logarithm or -100, whose slope is 0: the logarithm of 0 is never taken, as 0 times its slope would be NaN. */
    private static Expr boundedLog(Expr p) {
        Expr tiny = p.lessOrEqual(Expr.of(Math.exp(-100)));
        return Expr.select(tiny, Expr.of(-100), Expr.select(tiny, Expr.of(1), p).log());
    }
}
