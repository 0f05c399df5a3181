package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;

/**
 * How a factor is averaged over refreshes: X = keep X + take fresh, both expressions of {@link #REFRESH}.
 *
 * @param initial the multiple of the identity that X begins as
 */
public record Averaging(Expr keep, Expr take, double initial) {
    /** The number of the refresh, 1 for the first. */
    public static final Expr REFRESH = Expr.arg(0);

    /** The mean of all at first, with the last ones weighing more later: keep = min(1 - 1/k, decay) (Martens and Grosse, 2015). */
    public static Averaging kfac(double decay) {
        check(decay);
        Expr keep = Expr.of(1).sub(Expr.of(1).div(REFRESH)).min(Expr.of(decay));
        return new Averaging(keep, Expr.of(1).sub(keep), 0);
    }

    /** An exponential average that begins as a multiple of the identity. */
    public static Averaging exponential(double decay, double initial) {
        check(decay);
        return new Averaging(Expr.of(decay), Expr.of(1 - decay), initial);
    }

    /** An exponential average that began as zero, divided by 1 - decay^k for what it lacks. */
    public static Averaging corrected(double decay) {
        check(decay);
        Expr missing = Expr.of(1).sub(Expr.of(decay).pow(REFRESH));
        Expr take = Expr.of(1 - decay).div(missing);
        return new Averaging(Expr.of(1).sub(take), take, 0);
    }

    /** The mean of all. */
    public static Averaging mean() {
        Expr take = Expr.of(1).div(REFRESH);
        return new Averaging(Expr.of(1).sub(take), take, 0);
    }

    /** The sum of all, beginning with a multiple of the identity (AdaGrad, Shampoo). */
    public static Averaging sum(double initial) {
        return new Averaging(Expr.of(1), Expr.of(1), initial);
    }

    private static void check(double decay) {
        if (!(decay >= 0 && decay < 1)) {
            throw new KingfisherException("An average's decay is at least 0 and below 1, not " + decay + ".");
        }
    }
}
