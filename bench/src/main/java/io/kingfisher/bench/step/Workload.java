package io.kingfisher.bench.step;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.models.Models;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/** The networks that are measured, each with its batch. Inputs are synthetic, the same for every engine. */
public enum Workload {
    MLP_SMALL("mlp-small", 32, 10, 1, 28, 28),
    MLP_LARGE("mlp-large", 256, 10, 1, 28, 28),
    LENET("lenet", 64, 10, 1, 28, 28),
    RESNET18_CIFAR("resnet18-cifar", 128, 10, 3, 32, 32),
    /** Tokens of a vocabulary of 512; every position has a label. */
    GPT_MINI("gpt-mini", 8, 512, 128);

    /** Batches of inputs and of labels that follow each other: coprime, so that nothing can be learnt by heart. */
    public static final int INPUTS = 8, LABELS = 7;

    private static final long SEED = 20_25;

    private final String model;
    private final int batch, classes;
    private final long[] sample;

    Workload(String model, int batch, int classes, long... sample) {
        this.model = model;
        this.batch = batch;
        this.classes = classes;
        this.sample = sample;
    }

    /** By the name of the model. */
    public static Workload of(String model) {
        return Arrays.stream(values())
                .filter(workload -> workload.model.equals(model))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no workload " + model));
    }

    public String model() {
        return model;
    }

    public int batch() {
        return batch;
    }

    public int classes() {
        return classes;
    }

    public boolean text() {
        return this == GPT_MINI;
    }

    /** The network without memory. */
    public Layer create() {
        return Models.create(model, Shape.of(sample), classes, Map.of());
    }

    /** The shape of a batch of inputs. */
    public Shape inputs() {
        return Shape.of(batch).concat(Shape.of(sample));
    }

    /** The shape of a batch of labels: one for each sample, or for each token. */
    public Shape labels() {
        return text() ? inputs() : Shape.of(batch);
    }

    /** The images of a batch: standard normal numbers. */
    public float[] images(int number) {
        var random = new SplittableRandom(SEED + number);
        float[] values = new float[Math.toIntExact(inputs().elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** The tokens of a batch. */
    public int[] tokens(int number) {
        return integers(SEED + number, inputs());
    }

    /** The labels of a batch. */
    public int[] labels(int number) {
        return integers(SEED + 1000 + number, labels());
    }

    private int[] integers(long seed, Shape shape) {
        return new SplittableRandom(seed).ints(shape.elements(), 0, classes).toArray();
    }
}
