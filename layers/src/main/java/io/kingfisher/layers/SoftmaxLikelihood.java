package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.function.UnaryOperator;

/**
 * Cross-entropy of logits [... x C]: a sample is a row, H = diag(p) - p p^T with p = softmax, whatever the targets are
 * (smoothed ones too). Column c of the root is sqrt(p_c) (e_c - p).
 *
 * @param valid 1 for each row that counts, else 0, F32 [...]
 */
record SoftmaxLikelihood(Value prediction, Value valid, Value count) implements Likelihood {
    /** A probability that F32 still has. */
    private static final double LEAST = 1e-37;

    /** 1 for each row that counts, as a column beside the prediction. */
    private Value mask() {
        return valid.reshape(prediction.shape().with(-1, 1));
    }

    private Value probabilities() {
        return prediction.softmax();
    }

    private static Value rowSum(Value v) {
        return v.reduce(Reduce.Kind.SUM, true, -1);
    }

    @Override
    public Likelihood withCount(Value samples) {
        return new SoftmaxLikelihood(prediction, valid, samples);
    }

    @Override
    public Likelihood moved(UnaryOperator<Value> copy) {
        return new SoftmaxLikelihood(copy.apply(prediction), copy.apply(valid), copy.apply(count));
    }

    /** By Gumbel's trick: the largest of logits plus -log(-log u) is a draw from their softmax. */
    @Override
    public Value sample(Recording r) {
        Expr u = Expr.arg(1);
        Value uniform = r.random(Random.Distribution.UNIFORM, prediction.shape());
        Value noisy = prediction.graph().map(Expr.arg(0).sub(u.log().neg().log()), prediction, uniform);
        Value drawn = noisy.equalTo(noisy.reduce(Reduce.Kind.MAX, true, -1));
        // Two logits may tie in F32; the draw is then half of each, which keeps the mean.
        return probabilities().sub(drawn.div(rowSum(drawn))).mul(mask());
    }

    @Override
    public Value hessian(Value v) {
        Value p = probabilities();
        return p.mul(v.sub(rowSum(p.mul(v)))).mul(mask());
    }

    @Override
    public int rank() {
        return Math.toIntExact(prediction.dim(-1));
    }

    @Override
    public Value column(int c) {
        Value p = probabilities();
        Value unit = prediction
                .graph()
                .iota(DType.I32, rank())
                .map(Expr.arg(0).equalTo(Expr.of(c)))
                .cast(DType.F32);
        Value share = p.slice(p.rank() - 1, c, c + 1).sqrt();
        return unit.sub(p).mul(share).mul(mask());
    }

    @Override
    public Value root(Value u) {
        Value p = probabilities(), s = p.sqrt();
        return s.mul(u).sub(p.mul(rowSum(s.mul(u)))).mul(mask());
    }

    @Override
    public Value rootTransposed(Value v) {
        Value p = probabilities();
        return p.sqrt().mul(v.sub(rowSum(p.mul(v)))).mul(mask());
    }

    /** v / sqrt(p): as the elements of v add up to 0 in each row, nothing of it is lost. */
    @Override
    public Value rootSolve(Value v) {
        Expr root = Expr.arg(1).max(Expr.of(LEAST)).sqrt();
        return prediction.graph().map(Expr.arg(0).div(root), v, probabilities()).mul(mask());
    }
}
