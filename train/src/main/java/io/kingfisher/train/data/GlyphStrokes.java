package io.kingfisher.train.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The shapes of the ten digits as strokes: lines, elliptic arcs and quadratic curves, flattened into polylines. The
 * coordinates are those of a digit about 0.6 wide and 1 high around the origin, y pointing down; several digits have
 * more than one common way to write them.
 */
final class GlyphStrokes {
    /** By digit, then by variant: segments as (x0, y0, x1, y1), one after another. */
    private static final float[][][] SHAPES = {
        {
            new Pen().arc(0, 0, .29, .48, -90, 270).segments(),
            new Pen().arc(0, 0, .36, .46, -60, 300).segments(),
            new Pen().arc(0, 0, .24, .49, -90, 270).segments(),
        },
        {
            new Pen().from(-.16, -.30).to(.04, -.48).to(.04, .48).segments(),
            new Pen().from(0, -.49).to(0, .49).segments(),
            new Pen()
                    .from(-.18, -.28)
                    .to(.02, -.48)
                    .to(.02, .48)
                    .from(-.20, .48)
                    .to(.24, .48)
                    .segments(),
        },
        {
            new Pen()
                    .arc(0, -.21, .27, .27, -170, 20)
                    .bend(.20, .10, -.28, .47)
                    .to(.30, .47)
                    .segments(),
            new Pen()
                    .arc(0, -.22, .28, .25, -180, 35)
                    .to(-.26, .40)
                    .bend(-.10, .30, .02, .40)
                    .bend(.16, .52, .30, .38)
                    .segments(),
            new Pen()
                    .from(-.27, -.34)
                    .bend(0, -.62, .24, -.34)
                    .bend(.34, -.12, -.28, .47)
                    .to(.28, .47)
                    .segments(),
        },
        {
            new Pen()
                    .arc(-.02, -.24, .26, .24, -150, 90)
                    .from(-.02, 0)
                    .arc(-.02, .24, .30, .24, -90, 150)
                    .segments(),
            new Pen()
                    .from(-.26, -.47)
                    .to(.24, -.47)
                    .to(-.04, -.08)
                    .arc(-.04, .20, .30, .28, -90, 145)
                    .segments(),
            new Pen()
                    .arc(-.04, -.25, .24, .22, -165, 70)
                    .to(-.10, -.02)
                    .to(.04, -.01)
                    .arc(-.02, .23, .28, .24, -70, 165)
                    .segments(),
        },
        {
            new Pen().from(.12, .48).to(.12, -.48).to(-.30, .16).to(.32, .16).segments(),
            new Pen()
                    .from(-.22, -.46)
                    .to(-.28, .04)
                    .to(.26, .04)
                    .from(.20, -.40)
                    .to(.16, .48)
                    .segments(),
            new Pen()
                    .from(-.20, -.46)
                    .bend(-.34, .12, -.06, .10)
                    .to(.26, .04)
                    .from(.24, -.46)
                    .to(.14, .48)
                    .segments(),
        },
        {
            new Pen()
                    .from(.26, -.47)
                    .to(-.20, -.47)
                    .to(-.23, -.06)
                    .arc(-.02, .19, .30, .29, -130, 140)
                    .segments(),
            new Pen()
                    .from(.28, -.46)
                    .to(-.16, -.44)
                    .to(-.24, -.04)
                    .bend(.30, -.18, .27, .20)
                    .bend(.24, .56, -.28, .42)
                    .segments(),
        },
        {
            new Pen()
                    .arc(-.01, .22, .26, .26, 0, 360)
                    .from(-.26, .20)
                    .bend(-.26, -.30, .16, -.48)
                    .segments(),
            new Pen()
                    .from(.18, -.46)
                    .bend(-.32, -.24, -.27, .20)
                    .arc(0, .21, .27, .26, 180, -180)
                    .segments(),
            new Pen()
                    .from(.06, -.49)
                    .bend(-.18, -.20, -.24, .16)
                    .arc(-.02, .24, .22, .23, 190, -150)
                    .segments(),
        },
        {
            new Pen().from(-.28, -.46).to(.28, -.46).to(-.06, .48).segments(),
            new Pen()
                    .from(-.28, -.46)
                    .to(.28, -.46)
                    .bend(.02, -.04, -.04, .48)
                    .from(-.16, .02)
                    .to(.22, .02)
                    .segments(),
            new Pen()
                    .from(-.28, -.34)
                    .to(-.26, -.46)
                    .to(.28, -.46)
                    .bend(.06, -.10, -.02, .48)
                    .segments(),
        },
        {
            new Pen()
                    .arc(0, -.24, .22, .23, 90, 450)
                    .arc(0, .23, .27, .25, -90, 270)
                    .segments(),
            new Pen()
                    .from(.22, -.34)
                    .bend(.06, -.54, -.14, -.44)
                    .bend(-.34, -.26, 0, -.02)
                    .bend(.36, .22, .16, .42)
                    .bend(-.06, .54, -.24, .36)
                    .bend(-.30, .16, 0, -.02)
                    .bend(.24, -.18, .22, -.34)
                    .segments(),
        },
        {
            new Pen()
                    .arc(0, -.21, .26, .26, 0, 360)
                    .from(.26, -.20)
                    .bend(.26, .28, -.10, .48)
                    .segments(),
            new Pen()
                    .arc(-.02, -.22, .25, .25, -20, 340)
                    .from(.23, -.32)
                    .to(.20, .48)
                    .segments(),
            new Pen()
                    .arc(-.01, -.24, .24, .22, -10, 350)
                    .from(.23, -.26)
                    .bend(.30, .50, -.02, .47)
                    .bend(-.16, .46, -.22, .36)
                    .segments(),
        },
    };

    /** The length of the longest array of segments. */
    static final int MOST_NUMBERS = Arrays.stream(SHAPES)
            .flatMap(Arrays::stream)
            .mapToInt(shape -> shape.length)
            .max()
            .orElseThrow();

    private GlyphStrokes() {}

    static int variants(int digit) {
        return SHAPES[digit].length;
    }

    /** Segments as (x0, y0, x1, y1), one after another; not to be changed. */
    static float[] segments(int digit, int variant) {
        return SHAPES[digit][variant];
    }

    /** Draws connected strokes; a curve starts where the pen is, and an arc is joined to it by a line. */
    private static final class Pen {
        private static final int STEPS_PER_CURVE = 7;

        private final List<double[]> segments = new ArrayList<>();
        private boolean down;
        private double x;
        private double y;

        Pen from(double toX, double toY) {
            x = toX;
            y = toY;
            down = true;
            return this;
        }

        Pen to(double toX, double toY) {
            segments.add(new double[] {x, y, toX, toY});
            return from(toX, toY);
        }

        /** A quadratic curve with one control point. */
        Pen bend(double controlX, double controlY, double toX, double toY) {
            double startX = x;
            double startY = y;
            for (int i = 1; i <= STEPS_PER_CURVE; i++) {
                double t = (double) i / STEPS_PER_CURVE;
                double a = (1 - t) * (1 - t);
                double b = 2 * t * (1 - t);
                double c = t * t;
                to(a * startX + b * controlX + c * toX, a * startY + b * controlY + c * toY);
            }
            return this;
        }

        /** Part of an ellipse; degrees, 0 pointing right and growing clockwise as seen. */
        Pen arc(double centreX, double centreY, double radiusX, double radiusY, double fromDegrees, double toDegrees) {
            int steps = (int) Math.ceil(Math.abs(toDegrees - fromDegrees) / 22.5);
            for (int i = 0; i <= steps; i++) {
                double angle = StrictMath.toRadians(fromDegrees + (toDegrees - fromDegrees) * i / steps);
                double nextX = centreX + radiusX * StrictMath.cos(angle);
                double nextY = centreY + radiusY * StrictMath.sin(angle);
                if (i == 0 && !down) {
                    from(nextX, nextY);
                } else {
                    to(nextX, nextY);
                }
            }
            return this;
        }

        float[] segments() {
            var flat = new float[4 * segments.size()];
            for (int i = 0; i < flat.length; i++) {
                flat[i] = (float) segments.get(i / 4)[i % 4];
            }
            return flat;
        }
    }
}
