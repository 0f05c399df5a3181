package io.kingfisher.bench.step;

import io.kingfisher.runtime.Shape;
import io.kingfisher.train.workload.Workload;
import java.util.SplittableRandom;

/** The batches of a workload: synthetic, the same for every engine, nothing that could be learnt. */
record Batches(Workload workload) {
    /** Batches of inputs and of labels that follow each other: coprime, so that nothing can be learnt by heart. */
    static final int INPUTS = 8, LABELS = 7;

    private static final long SEED = 20_25;

    /** The images of a batch: standard normal numbers. */
    float[] images(int number) {
        var random = new SplittableRandom(SEED + number);
        float[] values = new float[Math.toIntExact(workload.input().shape().elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** The tokens of a batch. */
    int[] tokens(int number) {
        return integers(SEED + number, workload.input().shape());
    }

    /** The labels of a batch: one for each sample, or for each token. */
    int[] labels(int number) {
        return integers(SEED + 1000 + number, workload.target().shape());
    }

    private int[] integers(long seed, Shape shape) {
        return new SplittableRandom(seed)
                .ints(shape.elements(), 0, workload.classes())
                .toArray();
    }
}
