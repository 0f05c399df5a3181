package io.kingfisher.optimizers;

import io.kingfisher.layers.Capture;
import java.util.ArrayList;
import java.util.List;

/** Gradients of single samples, each a matrix [outputs x inputs] that is really made. */
final class ReferenceGradients {
    private ReferenceGradients() {}

    /**
     * Of one of a layer's matrices.
     *
     * @param whole whether a sample's places are added up, where its layer is no table; else each place has a gradient
     * @param samples the number of samples that ds is the mean of
     */
    static List<double[][]> of(List<ReferenceFisher.Use> uses, int group, boolean whole, double samples) {
        boolean table = uses.stream().anyMatch(use -> use.capture() instanceof Capture.Embedding);
        List<double[][]> result = new ArrayList<>();
        for (ReferenceFisher.Use use : uses) {
            int before = result.size(), places = places(use);
            ReferencePlaces.visit(use, group, (index, a, ds) -> {
                int sample = before + index / places;
                if (!whole || table || sample >= result.size()) {
                    result.add(null);
                }
                // Seen from a table that makes logits, features are outputs and words inputs.
                boolean logits = table && use.capture() instanceof Capture.Linear;
                double[][] part = logits ? outer(a, ds, samples) : outer(ds, a, samples), sum = result.getLast();
                result.set(result.size() - 1, sum == null ? part : Dense.plus(sum, 1, part));
            });
        }
        return result;
    }

    /** What is one sample's among the rows of a linear layer; others are told apart by where they are visited. */
    private static int places(ReferenceFisher.Use use) {
        if (use.capture() instanceof Capture.Linear c && c.a().rank() > 1) {
            return (int) (c.rows() / c.a().dim(0));
        }
        return 1;
    }

    private static double[][] outer(double[] rows, double[] columns, double by) {
        double[][] result = Dense.zeros(rows.length, columns.length);
        for (int r = 0; r < rows.length; r++) {
            for (int c = 0; c < columns.length; c++) {
                result[r][c] = by * rows[r] * columns[c];
            }
        }
        return result;
    }
}
