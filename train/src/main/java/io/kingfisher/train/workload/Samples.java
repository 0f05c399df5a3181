package io.kingfisher.train.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Batches that can be learnt from: noise around a pattern for each class, or tokens that mostly follow a rule. */
final class Samples {
    /** A batch as the device reads it. */
    record Batch(MemorySegment inputs, MemorySegment targets) {}

    private Samples() {}

    static List<Batch> make(Workload workload, int count, long seed, Arena arena) {
        SplittableRandom random = new SplittableRandom(seed);
        int pixels = Math.toIntExact(workload.sample().elements()), classes = workload.classes();
        float[][] patterns = new float[workload.text() ? 0 : classes][pixels];
        for (float[] pattern : patterns) {
            for (int i = 0; i < pixels; i++) {
                pattern[i] = (float) random.nextGaussian();
            }
        }
        List<Batch> batches = new ArrayList<>();
        for (int b = 0; b < count; b++) {
            MemorySegment x = arena.allocate(ValueLayout.JAVA_FLOAT, (long) workload.batch() * pixels);
            MemorySegment y =
                    arena.allocate(ValueLayout.JAVA_INT, (long) workload.batch() * (workload.text() ? pixels : 1));
            for (int n = 0; n < workload.batch(); n++) {
                if (workload.text()) {
                    tokens(random, classes, x, y, (long) n * pixels, pixels);
                } else {
                    int label = random.nextInt(classes);
                    y.setAtIndex(ValueLayout.JAVA_INT, n, label);
                    for (int i = 0; i < pixels; i++) {
                        float value = patterns[label][i] * 0.5f + (float) random.nextGaussian();
                        x.setAtIndex(ValueLayout.JAVA_FLOAT, (long) n * pixels + i, value);
                    }
                }
            }
            batches.add(new Batch(x, y));
        }
        return batches;
    }

    private static void tokens(
            SplittableRandom random, int vocabulary, MemorySegment x, MemorySegment y, long at, int length) {
        int token = random.nextInt(vocabulary);
        for (int i = 0; i < length; i++) {
            int next = random.nextInt(8) == 0 ? random.nextInt(vocabulary) : (5 * token + 3) % vocabulary;
            x.setAtIndex(ValueLayout.JAVA_INT, at + i, token);
            y.setAtIndex(ValueLayout.JAVA_INT, at + i, next);
            token = next;
        }
    }
}
