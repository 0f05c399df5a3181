package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;
import java.util.function.UnaryOperator;

/**
 * A loss as a function of the prediction alone: the mean over N samples of ell(f), f being a sample's part of the prediction.
 * Fisher and generalised Gauss-Newton matrices are J^T H J with J the Jacobian of f and H the matrix described here: the
 * Hessian of ell with respect to f, or where that depends on the target its expectation under the model's own predictive
 * distribution. Values have the prediction's shape and are those of single samples, without 1 / N; samples that do not count
 * have zeros.
 */
public interface Likelihood {
    /** What the model said, [... x C]. */
    Value prediction();

    /** The number N of samples that count, an F32 scalar. */
    Value count();

    /** The same where another number of samples counts: all others have a prediction that no parameter changes. */
    Likelihood withCount(Value samples);

    /** The same of another graph, {@code copy} being what stands there for a value of this one. */
    Likelihood moved(UnaryOperator<Value> copy);

    /**
     * The gradient of ell at targets that are drawn from the predictive distribution: its mean is zero, and the mean of its
     * products g g^T is H.
     */
    Value sample(Recording r);

    /** H v. */
    Value hessian(Value v);

    /** The number of columns of a root B of H = B B^T. */
    int rank();

    /** Column c of B, counted from 0. */
    Value column(int c);

    /** B u, for u of the prediction's shape. */
    Value root(Value u);

    /** B^T v. */
    Value rootTransposed(Value v);

    /** A u with B u = v, for a v that B makes, such as the gradient of ell; it is finite where v has no such u. */
    Value rootSolve(Value v);
}
