package io.kingfisher.train.report;

/**
 * A line of a plot.
 *
 * @param name for the legend
 * @param x ascending
 * @param y as many values; a value that is not finite leaves a gap
 * @param style how it is drawn
 */
public record Curve(String name, double[] x, double[] y, Style style) {
    /** How a curve is drawn. */
    public enum Style {
        /** A line with a marker at every point, where there are not too many. */
        PLAIN,
        /** The same, dashed: a second view of something shown plain. */
        DASHED,
        /** A thin pale line behind the others, for noisy values. */
        FAINT
    }

    public Curve {
        if (x.length != y.length) {
            throw new IllegalArgumentException(name + " has " + x.length + " x and " + y.length + " y values");
        }
        x = x.clone();
        y = y.clone();
    }

    boolean hasPoints() {
        for (double value : y) {
            if (Double.isFinite(value)) {
                return true;
            }
        }
        return false;
    }
}
