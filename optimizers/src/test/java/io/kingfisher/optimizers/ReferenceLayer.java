package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The parameters of a layer, and how their elements lie in its matrices. */
record ReferenceLayer(Parameter weight, Optional<Parameter> bias, boolean table, int groups, int o, int i) {
    static ReferenceLayer of(List<ReferenceFisher.Use> uses) {
        Capture first = uses.get(0).capture();
        Parameter weight = first.weight();
        Optional<Parameter> bias =
                uses.stream().flatMap(use -> use.capture().bias().stream()).findFirst();
        int n = bias.isPresent() ? 1 : 0,
                rows = (int) weight.shape().dim(0),
                all = (int) weight.shape().elements();
        if (uses.stream().anyMatch(use -> use.capture() instanceof Capture.Embedding)) {
            return new ReferenceLayer(weight, Optional.empty(), true, 1, all / rows, rows);
        }
        return switch (first) {
            case Capture.Conv2d c -> {
                int groups = c.window().groups();
                yield new ReferenceLayer(weight, bias, false, groups, rows / groups, all / rows + n);
            }
            case Capture.Linear _ -> new ReferenceLayer(weight, bias, false, 1, rows, all / rows + n);
            default -> new ReferenceLayer(weight, bias, false, rows, 1, 1 + n);
        };
    }

    /** Where an element of a matrix is: in the bias where {@code column} is the last of a layer that has one. */
    private int at(int group, int row, int column) {
        int width = i - (bias.isPresent() ? 1 : 0);
        return table ? column * o + row : (group * o + row) * width + column;
    }

    private boolean constant(int column) {
        return bias.isPresent() && column == i - 1;
    }

    double[][] matrix(Map<Parameter, double[]> of, int group) {
        double[][] m = Dense.zeros(o, i);
        for (int r = 0; r < o; r++) {
            for (int c = 0; c < i; c++) {
                m[r][c] = constant(c) ? of.get(bias.get())[group * o + r] : of.get(weight)[at(group, r, c)];
            }
        }
        return m;
    }

    void scatter(double[][] m, int group, Map<Parameter, double[]> into) {
        for (int r = 0; r < o; r++) {
            for (int c = 0; c < i; c++) {
                if (constant(c)) {
                    into.get(bias.get())[group * o + r] = m[r][c];
                } else {
                    into.get(weight)[at(group, r, c)] = m[r][c];
                }
            }
        }
    }
}
