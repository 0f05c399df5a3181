package io.kingfisher.train.workload;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.models.Models;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Type;
import java.util.List;
import java.util.Map;

/**
 * A model, the shape of a sample and the size of a batch.
 *
 * @param name by which it is asked for and reported
 * @param network the model's name in the zoo
 * @param batch samples per step
 * @param sample [C x H x W] of an image, or [T] tokens
 * @param classes classes, or tokens in the vocabulary
 * @param sizes what the model is built with
 */
public record Workload(String name, String network, int batch, Shape sample, int classes, Map<String, Object> sizes) {
    /** The five models that all measurements are made with. */
    public static List<Workload> all() {
        return List.of(
                new Workload("mlp-small", "mlp-small", 32, Shape.of(1, 28, 28), 10, Map.of()),
                new Workload("mlp-large", "mlp-large", 256, Shape.of(1, 28, 28), 10, Map.of()),
                new Workload("lenet", "lenet", 64, Shape.of(1, 28, 28), 10, Map.of()),
                new Workload("resnet18-cifar", "resnet18Cifar", 128, Shape.of(3, 32, 32), 10, Map.of()),
                new Workload(
                        "gpt-mini", "gpt-mini", 8, Shape.of(128), 512, Map.of("width", 256, "depth", 4, "heads", 4)));
    }

    /** Models of the same kinds that take milliseconds on any device. */
    public static List<Workload> small() {
        return List.of(
                new Workload("mlp-small", "mlp-small", 5, Shape.of(1, 6, 5), 4, Map.of("hidden", List.of(9))),
                new Workload("mlp-large", "mlp-large", 7, Shape.of(1, 6, 5), 4, Map.of("hidden", List.of(17, 13))),
                new Workload("lenet", "lenet", 6, Shape.of(1, 16, 14), 5, Map.of()),
                new Workload("resnet18-cifar", "resnet18Cifar", 3, Shape.of(3, 16, 16), 5, Map.of("width", 4)),
                new Workload("gpt-mini", "gpt-mini", 3, Shape.of(7), 13, Map.of("width", 16, "depth", 2, "heads", 2)));
    }

    /**
     * The one of a name.
     *
     * @throws KingfisherException where there is none, with the names that there are
     */
    public static Workload of(String name, List<Workload> among) {
        return among.stream()
                .filter(workload -> workload.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no model '" + name + "' to run; choose from "
                        + String.join(", ", among.stream().map(Workload::name).toList()) + "."));
    }

    public Workload withBatch(int size) {
        return new Workload(name, network, size, sample, classes, sizes);
    }

    /** Whether samples are tokens. */
    public boolean text() {
        return sample.rank() == 1;
    }

    /** The model without memory. */
    public Layer model() {
        return Models.create(network, sample, classes, sizes);
    }

    /** A batch of inputs: F32 images or I32 tokens. */
    public Type input() {
        return new Type(text() ? DType.I32 : DType.F32, Shape.of(batch).concat(sample));
    }

    /** The labels of a batch, I32: one for each sample, or for each token. */
    public Type target() {
        return new Type(DType.I32, text() ? Shape.of(batch).concat(sample) : Shape.of(batch));
    }
}
