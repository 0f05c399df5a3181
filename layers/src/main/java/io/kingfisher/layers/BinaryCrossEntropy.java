package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;

/**
 * The mean over all elements of -t log p - (1 - t) log(1 - p), for targets t in [0, 1] of the prediction's shape.
 *
 * @param logits whether the prediction is a logit x, p = sigmoid(x), which is exact for large x as well; else it is p in
 *     [0, 1], and logarithms below -100 count as -100, as in PyTorch, where they do not change with p
 */
public record BinaryCrossEntropy(boolean logits) implements Loss {
    @Override
    public LossValue apply(Recording r, Value prediction, Value target) {
        Expr x = Expr.arg(0), t = Expr.arg(1), one = Expr.of(1);
        Expr term = logits
                ? x.softplus().sub(x.mul(t))
                : t.mul(boundedLog(x))
                        .add(one.sub(t).mul(boundedLog(one.sub(x))))
                        .neg();
        return MeanSquaredError.overElements(
                "Binary cross-entropy",
                prediction,
                target,
                r.graph().map(term, prediction, target),
                logits ? ElementwiseLikelihood.Kind.LOGIT : ElementwiseLikelihood.Kind.PROBABILITY);
    }

    /** The logarithm or -100, whose slope is 0: the logarithm of 0 is never taken, as 0 times its slope would be NaN. */
    private static Expr boundedLog(Expr p) {
        Expr tiny = p.lessOrEqual(Expr.of(Math.exp(-100)));
        return Expr.select(tiny, Expr.of(-100), Expr.select(tiny, Expr.of(1), p).log());
    }
}
