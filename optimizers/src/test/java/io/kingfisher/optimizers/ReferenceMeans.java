package io.kingfisher.optimizers;

import java.util.List;

/** The mean input and the mean gradient of the samples' losses, place by place. */
record ReferenceMeans(double[] a, double[] g) {
    static ReferenceMeans of(List<ReferenceFisher.Use> uses, int group) {
        double[][] sums = new double[2][];
        int[] places = {0};
        uses.forEach(use -> ReferencePlaces.visit(use, group, (_, a, ds) -> {
            places[0]++;
            sums[0] = plus(sums[0], a);
            sums[1] = plus(sums[1], ds);
        }));
        for (int i = 0; i < sums[0].length; i++) {
            sums[0][i] /= places[0];
        }
        return new ReferenceMeans(sums[0], sums[1]);
    }

    private static double[] plus(double[] sum, double[] more) {
        double[] result = sum == null ? new double[more.length] : sum;
        for (int i = 0; i < more.length; i++) {
            result[i] += more[i];
        }
        return result;
    }

    /** Takes in fresh means with a weight. */
    void mix(ReferenceMeans fresh, double take) {
        for (int i = 0; i < a.length; i++) {
            a[i] += take * (fresh.a[i] - a[i]);
        }
        for (int i = 0; i < g.length; i++) {
            g[i] += take * (fresh.g[i] - g[i]);
        }
    }
}
