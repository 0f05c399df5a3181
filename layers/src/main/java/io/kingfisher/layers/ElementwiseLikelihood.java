package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.function.UnaryOperator;

/**
 * A loss whose ell is the mean or the sum over the elements of a sample, predictions [N x ...]: H is diagonal. A draw for the
 * mean is scaled by 1 / sqrt(elements), not by 1 / elements as ell's own gradient is, so that its products have the mean H.
 *
 * @param mean whether ell is the mean over a sample's elements, else their sum
 * @param count the number of samples that count; all others have a prediction that no parameter changes
 */
record ElementwiseLikelihood(Kind kind, boolean mean, Value prediction, Value count) implements Likelihood {
    /** What an element is thought to be drawn from. */
    enum Kind {
        /** Normal with mean f and variance 1/2: the squared error (f - y)^2. */
        SQUARED_ERROR,
        /** A coin with probability sigmoid(f). */
        LOGIT,
        /** A coin with probability f. */
        PROBABILITY;

        /** The second derivative with respect to f, or its expectation. */
        private Expr curvature(Expr f) {
            return switch (this) {
                case SQUARED_ERROR -> Expr.of(2);
                case LOGIT -> variance(f.sigmoid());
                case PROBABILITY -> inverse(variance(f));
            };
        }

        private static Expr variance(Expr p) {
            return p.mul(Expr.of(1).sub(p));
        }

        /** 1 / v, and 0 where the logarithms of the loss are cut off. */
        private static Expr inverse(Expr v) {
            Expr cut = v.lessOrEqual(Expr.of(Math.exp(-85)));
            return Expr.select(cut, Expr.of(0), Expr.of(1).div(Expr.select(cut, Expr.of(1), v)));
        }
    }

    @Override
    public Likelihood withCount(Value samples) {
        return new ElementwiseLikelihood(kind, mean, prediction, samples);
    }

    @Override
    public Likelihood moved(UnaryOperator<Value> copy) {
        return new ElementwiseLikelihood(kind, mean, copy.apply(prediction), copy.apply(count));
    }

    private double elements() {
        return (double) prediction.shape().elements() / Math.max(1, prediction.rank() == 0 ? 1 : prediction.dim(0));
    }

    /** What the sum over a sample's elements is divided by. */
    private double divisor() {
        return mean ? elements() : 1;
    }

    @Override
    public Value sample(Recording r) {
        Expr f = Expr.arg(0), draw = Expr.arg(1);
        boolean normal = kind == Kind.SQUARED_ERROR;
        Value random = r.random(normal ? Random.Distribution.NORMAL : Random.Distribution.UNIFORM, prediction.shape());
        Expr gradient = switch (kind) {
            case SQUARED_ERROR -> draw.mul(Math.sqrt(2));
            case LOGIT -> f.sigmoid().sub(draw.lessThan(f.sigmoid()));
            case PROBABILITY -> f.sub(draw.lessThan(f)).mul(Kind.inverse(Kind.variance(f)));
        };
        return prediction.graph().map(gradient.mul(1 / Math.sqrt(divisor())), prediction, random);
    }

    private Value times(Expr factor, Value v) {
        return prediction.graph().map(factor.mul(Expr.arg(1)), prediction, v);
    }

    private Expr diagonal() {
        return kind.curvature(Expr.arg(0)).mul(1 / divisor());
    }

    @Override
    public Value hessian(Value v) {
        return times(diagonal(), v);
    }

    @Override
    public int rank() {
        return Math.toIntExact((long) elements());
    }

    @Override
    public Value column(int c) {
        long samples = prediction.shape().elements() / Math.max(1, rank());
        Value unit = prediction
                .graph()
                .iota(DType.I32, rank())
                .map(Expr.arg(0).equalTo(Expr.of(c)))
                .cast(DType.F32)
                .reshape(1, rank())
                .broadcastTo(io.kingfisher.runtime.Shape.of(samples, rank()));
        return root(unit.reshape(prediction.shape()));
    }

    @Override
    public Value root(Value u) {
        return times(diagonal().sqrt(), u);
    }

    @Override
    public Value rootTransposed(Value v) {
        return root(v);
    }

    @Override
    public Value rootSolve(Value v) {
        Expr root = diagonal().sqrt(), flat = root.lessOrEqual(Expr.of(0));
        Expr u = Expr.arg(1).div(Expr.select(flat, Expr.of(1), root));
        return prediction.graph().map(Expr.select(flat, Expr.of(0), u), prediction, v);
    }
}
