package io.kingfisher.train;

import io.kingfisher.train.report.Curve;
import io.kingfisher.train.report.CurvePlot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kingfisher analyze ief-toy}. */
@Command(
        name = "ief-toy",
        mixinStandardHelpOptions = true,
        description = {
            "Draws the directions of gradient descent, the empirical Fisher matrix and the improved one for least squares"
                    + " with two parameters and two samples, and the paths that they lead along, as PNG and SVG."
        },
        footer = {"", "Example:", "  kingfisher analyze ief-toy --output toy"})
final class AnalyzeToyCommand implements Callable<Integer> {
    private static final double EDGE = 2, CELL = 0.25;
    private static final int STEPS = 400;
    private static final double[][] STARTS = {{1.6, -0.4}, {-1.5, 1.9}, {-0.6, -1.2}};

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Where the pictures go: a folder, made if need be [${DEFAULT-VALUE}].")
    private Path output = Path.of("ief-toy");

    @Override
    public Integer call() {
        for (ToyProblem.Rule rule : ToyProblem.Rule.values()) {
            if (rule != ToyProblem.Rule.NGD) {
                String name = rule == ToyProblem.Rule.IEF ? "iEF" : rule.name();
                plot(rule, name).write(output, name);
            }
        }
        System.out.print(ToyProblem.table());
        System.out.println("Pictures of directions and paths are in " + output + ".");
        return 0;
    }

    private static CurvePlot plot(ToyProblem.Rule rule, String name) {
        List<Curve> curves = new ArrayList<>();
        curves.add(field(rule));
        // Without a schedule EF's steps do not get shorter towards the solution; small ones show where they lead.
        double rate = rule == ToyProblem.Rule.EF ? 0.005 : 0.02;
        for (double[] start : STARTS) {
            double[][] path = ToyProblem.path(rule, start[0], start[1], rate, STEPS);
            curves.add(new Curve(
                    String.format(Locale.ROOT, "from (%.1f, %.1f)", start[0], start[1]),
                    inside(path[0]),
                    inside(path[1]),
                    Curve.Style.PLAIN));
        }
        return new CurvePlot(name + ": " + rule.title(), "a", "b", false, curves);
    }

    /** A path that leaves the picture goes along its edge. */
    private static double[] inside(double[] values) {
        return java.util.Arrays.stream(values)
                .map(v -> Math.max(-EDGE, Math.min(EDGE, v)))
                .toArray();
    }

    /** Arrows of one length along the direction in which a step goes, as one line with gaps. */
    private static Curve field(ToyProblem.Rule rule) {
        List<double[]> points = new ArrayList<>();
        for (double a = -EDGE + CELL / 2; a < EDGE; a += CELL) {
            for (double b = -EDGE + CELL / 2; b < EDGE; b += CELL) {
                double[] d = ToyProblem.direction(rule, a, b);
                double length = Math.hypot(d[0], d[1]);
                if (!(length > 0) || !Double.isFinite(length)) {
                    continue;
                }
                double x = -d[0] / length * CELL * 0.7, y = -d[1] / length * CELL * 0.7;
                points.add(new double[] {a, b});
                points.add(new double[] {a + x, b + y});
                points.add(new double[] {a + 0.65 * x - 0.2 * y, b + 0.65 * y + 0.2 * x});
                points.add(new double[] {a + x, b + y});
                points.add(new double[] {a + 0.65 * x + 0.2 * y, b + 0.65 * y - 0.2 * x});
                points.add(new double[] {a, Double.NaN});
            }
        }
        return new Curve(
                "direction of a step",
                points.stream().mapToDouble(p -> p[0]).toArray(),
                points.stream().mapToDouble(p -> p[1]).toArray(),
                Curve.Style.FAINT);
    }
}
