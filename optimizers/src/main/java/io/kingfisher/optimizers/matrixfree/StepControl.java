package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.KingfisherException;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;

/** How long a step is and how far its model is trusted. */
public final class StepControl {
    private StepControl() {}

    /**
     * The damping of Levenberg and Marquardt from the reduction ratio: what the loss changed by, over what the model said
     * (Martens, 2010, section 4.1).
     *
     * @param shrink what the damping is multiplied by where the ratio is above {@code high}, from above 0 to 1
     * @param grow what it is multiplied by where the ratio is below {@code low} or no number, at least 1
     */
    public record LevenbergMarquardt(double low, double high, double shrink, double grow) {
        public LevenbergMarquardt {
            if (!(low <= high) || !(shrink > 0 && shrink <= 1) || !(grow >= 1)) {
                throw new KingfisherException(
                        "Levenberg-Marquardt damping needs bounds in order, a factor from above 0 to 1"
                                + " and one of at least 1, not " + low + ", " + high + ", " + shrink + " and " + grow
                                + ".");
            }
        }

        /** 1/4 and 3/4, 2/3 and 3/2, as Hessian-free optimization has them. */
        public static LevenbergMarquardt martens() {
            return new LevenbergMarquardt(0.25, 0.75, 2.0 / 3, 1.5);
        }

        /** The damping after a step with this reduction ratio. */
        public double next(double damping, double ratio) {
            return ratio > high ? damping * shrink : ratio >= low ? damping : damping * grow;
        }
    }

    /**
     * The radius of a trust region from the reduction ratio (Nocedal and Wright, 2006, algorithm 4.1).
     *
     * @param radius the longest step allowed, above 0
     * @param greatest what the radius never exceeds
     */
    public record TrustRegion(double radius, double greatest) {
        public TrustRegion {
            if (!(radius > 0 && radius <= greatest)) {
                throw new KingfisherException(
                        "A trust region has a radius above 0 and at most " + greatest + ", not " + radius + ".");
            }
        }

        /** The region after a step of this length: a quarter where the model was bad, double where it was good and binding. */
        public TrustRegion next(double ratio, double length) {
            double next =
                    !(ratio >= 0.25) ? 0.25 * radius : ratio > 0.75 && length >= 0.99 * radius ? 2 * radius : radius;
            return new TrustRegion(Math.max(Math.min(next, greatest), Double.MIN_NORMAL), greatest);
        }

        /** What a step of this length is multiplied by to stay inside. */
        public double scale(double length) {
            return length > radius ? radius / length : 1;
        }
    }

    /**
     * The minimum of g^T d + d^T H d / 2 over the plane of two directions, d = x u + y v.
     *
     * @param x the multiple of u
     * @param y the multiple of v; 0 where v adds no direction to u
     * @param change the model's value there, at most 0
     */
    public record Plane(double x, double y, double change) {
        /**
         * Solves the 2 x 2 system. Where it is singular, as with v = 0, it is minimised along u alone; where u has no positive
         * curvature either there is no step.
         *
         * @param uHu u^T H u, and so on
         * @param gu g^T u, and so on
         */
        public static Plane minimum(double uHu, double uHv, double vHv, double gu, double gv) {
            double determinant = uHu * vHv - uHv * uHv;
            double x, y;
            if (determinant > 1e-12 * Math.abs(uHu * vHv)) {
                x = -(vHv * gu - uHv * gv) / determinant;
                y = -(uHu * gv - uHv * gu) / determinant;
            } else {
                x = uHu > 0 ? -gu / uHu : 0;
                y = 0;
            }
            return new Plane(x, y, 0.5 * (x * gu + y * gv));
        }
    }

    /**
     * The first of 1, shrink, shrink^2, ... at which f is at most f(0) + c alpha slope (Armijo, 1966).
     *
     * @param slope the derivative of f at 0
     * @return none where {@code limit} tries were too long
     */
    public static OptionalDouble armijo(
            DoubleUnaryOperator f, double atZero, double slope, double c, double shrink, int limit) {
        double alpha = 1;
        for (int i = 0; i < limit; i++, alpha *= shrink) {
            if (f.applyAsDouble(alpha) <= atZero + c * alpha * slope) {
                return OptionalDouble.of(alpha);
            }
        }
        return OptionalDouble.empty();
    }
}
