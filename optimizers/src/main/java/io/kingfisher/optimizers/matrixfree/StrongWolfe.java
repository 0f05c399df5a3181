package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.KingfisherException;
import java.util.Optional;

/**
 * A line search for the strong Wolfe conditions f(a) <= f(0) + c1 a f'(0) and |f'(a)| <= c2 |f'(0)| (Nocedal and Wright, 2006,
 * algorithms 3.5 and 3.6), with cubic interpolation kept away from the ends of its bracket.
 *
 * @param c1 how much of the slope the decrease must reach, from above 0 to below c2
 * @param c2 how much of the slope may be left, below 1
 * @param limit the most evaluations
 */
public record StrongWolfe(double c1, double c2, int limit) {
    /** What is known of f at a place. */
    public record Point(double alpha, double value, double slope) {}

    /** f and its derivative along the line. */
    @FunctionalInterface
    public interface Line {
        Point at(double alpha);
    }

    public StrongWolfe {
        if (!(c1 > 0 && c1 < c2 && c2 < 1) || limit < 1) {
            throw new KingfisherException("A Wolfe search needs 0 < c1 < c2 < 1 and at least 1 evaluation, not c1 " + c1
                    + ", c2 " + c2 + " and " + limit + ".");
        }
    }

    private boolean decreases(Point start, Point p) {
        return p.value() <= start.value() + c1 * p.alpha() * start.slope();
    }

    private boolean flat(Point start, Point p) {
        return Math.abs(p.slope()) <= -c2 * start.slope();
    }

    /**
     * Searches from a place with a negative slope.
     *
     * @param first the first step length to try
     * @return a point with both conditions; where the evaluations do not suffice, the lowest that has the first one; else none
     */
    public Optional<Point> search(Line line, Point start, double first) {
        if (!(start.slope() < 0)) {
            return Optional.empty();
        }
        Point before = start, best = null;
        double alpha = first;
        for (int i = 0; i < limit; i++) {
            Point p = line.at(alpha);
            boolean decreases = decreases(start, p);
            best = better(start, best, p);
            if (!decreases || (i > 0 && p.value() >= before.value()) || !Double.isFinite(p.slope())) {
                return zoom(line, start, before, p, best, i + 1);
            }
            if (flat(start, p)) {
                return Optional.of(p);
            }
            if (p.slope() >= 0) {
                return zoom(line, start, p, before, best, i + 1);
            }
            double reach = p.alpha() - before.alpha();
            double next = interpolate(before, p);
            alpha = Math.clamp(Double.isNaN(next) ? 0 : next, p.alpha() + 0.1 * reach, p.alpha() + 9 * reach);
            before = p;
        }
        return Optional.ofNullable(best);
    }

    /** @param low the lower end of the bracket, whose slope points into it */
    private Optional<Point> zoom(Line line, Point start, Point low, Point high, Point found, int used) {
        Point best = found;
        for (int i = used; i < limit && low.alpha() != high.alpha(); i++) {
            double left = Math.min(low.alpha(), high.alpha()), width = Math.abs(high.alpha() - low.alpha());
            double alpha = interpolate(low, high);
            alpha = Double.isNaN(alpha)
                    ? left + 0.5 * width
                    : Math.clamp(alpha, left + 0.1 * width, left + 0.9 * width);
            Point p = line.at(alpha);
            best = better(start, best, p);
            if (!decreases(start, p) || p.value() >= low.value() || !Double.isFinite(p.slope())) {
                high = p;
            } else if (flat(start, p)) {
                return Optional.of(p);
            } else {
                if (p.slope() * (high.alpha() - low.alpha()) >= 0) {
                    high = low;
                }
                low = p;
            }
        }
        return Optional.ofNullable(best);
    }

    private Point better(Point start, Point best, Point p) {
        return decreases(start, p) && (best == null || p.value() < best.value()) ? p : best;
    }

    /** The minimum of the cubic with the values and slopes of two points (equation 3.59); NaN where there is none. */
    private static double interpolate(Point a, Point b) {
        double d1 = a.slope() + b.slope() - 3 * (a.value() - b.value()) / (a.alpha() - b.alpha());
        double d2 = Math.signum(b.alpha() - a.alpha()) * Math.sqrt(d1 * d1 - a.slope() * b.slope());
        return b.alpha() - (b.alpha() - a.alpha()) * (b.slope() + d2 - d1) / (b.slope() - a.slope() + 2 * d2);
    }
}
