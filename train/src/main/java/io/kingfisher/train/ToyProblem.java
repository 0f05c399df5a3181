package io.kingfisher.train;

import io.kingfisher.optimizers.exact.DenseCurvature;
import io.kingfisher.optimizers.exact.DenseMatrix;
import java.util.Arrays;
import java.util.Locale;

/**
 * Least squares with two parameters and two samples, as in section 4 of Wu, Yu, Zhang and Woodland (NeurIPS 2024): the model z = a + b x
 * and the samples (0, 0) and (1, 0), each with a loss of z^2 / 2, so that the solution is a = b = 0.
 */
final class ToyProblem {
    /** What decides a direction. */
    enum Rule {
        SGD("gradient descent"),
        EF("empirical Fisher"),
        IEF("improved empirical Fisher, here the same as natural gradient"),
        NGD("natural gradient");

        private final String title;

        Rule(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    private static final double[][] OUTPUTS = {{1, 0}, {1, 1}};

    private ToyProblem() {}

    /** What there is to know at a point (a, b). */
    static DenseCurvature at(double a, double b) {
        return new DenseCurvature(
                1,
                1,
                2,
                (a * a + (a + b) * (a + b)) / 4,
                OUTPUTS,
                new double[] {a, a + b},
                new double[][][] {{{1}}, {{1}}},
                new double[][][] {{{1}}, {{1}}});
    }

    /** What a rule subtracts at a point, for the sum of both losses; the damping of EF and iEF is next to none. */
    static double[] direction(Rule rule, double a, double b) {
        DenseCurvature here = at(a, b);
        double[] gradient = here.gradient();
        return switch (rule) {
            case SGD -> new double[] {2 * gradient[0], 2 * gradient[1]};
            case EF -> fisher(here, new double[] {1, 1});
            case IEF -> fisher(here, here.squaredResiduals());
            case NGD -> here.step(here.fisher(), 0);
        };
    }

    private static double[] fisher(DenseCurvature here, double[] s) {
        double[][] rows = here.sampleGradients(), gram = DenseMatrix.gram(rows);
        double damping = 1e-12 * Math.max(gram[0][0], gram[1][1]) + Double.MIN_NORMAL;
        return DenseMatrix.transposedTimes(rows, DenseMatrix.solve(gram, damping, s), 2);
    }

    /** The points of a path of steps of length {@code rate} times the direction, [2 x steps + 1]. */
    static double[][] path(Rule rule, double a, double b, double rate, int steps) {
        double[][] result = new double[2][steps + 1];
        double[] at = {a, b};
        for (int t = 0; t <= steps; t++) {
            result[0][t] = at[0];
            result[1][t] = at[1];
            double[] d = direction(rule, at[0], at[1]);
            at = new double[] {at[0] - rate * d[0], at[1] - rate * d[1]};
        }
        return result;
    }

    /** The rules' directions at (0.5, 1), as a table in Markdown. */
    static String table() {
        StringBuilder text = new StringBuilder(
                "| at a = 0.5, b = 1 | direction | gamma | how much each loss falls, to first order |\n"
                        + "| --- | --- | ---: | --- |\n");
        for (Rule rule : Rule.values()) {
            double[] d = direction(rule, 0.5, 1),
                    falls = DenseMatrix.times(at(0.5, 1).sampleGradients(), d);
            text.append("| ")
                    .append(rule.title())
                    .append(" | ")
                    .append(numbers(d))
                    .append(String.format(Locale.ROOT, " | %.6f | ", at(0.5, 1).gamma(d)))
                    .append(numbers(falls))
                    .append(" |\n");
        }
        return text.toString();
    }

    private static String numbers(double[] values) {
        return String.join(
                ", ",
                Arrays.stream(values)
                        .mapToObj(v -> String.format(Locale.ROOT, "%.4f", v))
                        .toList());
    }
}
