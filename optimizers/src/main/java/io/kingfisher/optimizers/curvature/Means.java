package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The means of a layer's inputs and of its outputs' gradients for the training labels, whose product stands for the second
 * moments in methods of rank one (Zhang et al., 2023). A sample's input is the mean over its places (pixels, tokens), its
 * gradient the sum over them.
 *
 * @param inputs a [groups x inputs], the last entry 1 where the layer has a bias; of an embedding the frequency of each token
 * @param outputs g [groups x outputs], the gradient of the loss itself, which is the mean of those of the samples' losses
 */
public record Means(Value inputs, Value outputs) {
    /**
     * The means of a layer that is no norm: a single pair, but two for a table that is looked up and also makes the logits,
     * those of the lookups first.
     */
    public static List<Means> of(LayerMatrix layer, Gradients gradients) {
        if (!tied(layer)) {
            return List.of(one(layer, gradients));
        }
        Means logits = one(layer.only(Capture.Linear.class), gradients);
        // What makes the logits, a row for each word, is the transpose of the matrix that is looked up.
        return List.of(
                one(layer.only(Capture.Embedding.class), gradients), new Means(logits.outputs(), logits.inputs()));
    }

    /** Whether a layer is a table that is looked up and also makes the logits. */
    public static boolean tied(LayerMatrix layer) {
        return layer.kind() == LayerMatrix.Kind.EMBEDDING
                && layer.captures().stream().anyMatch(capture -> capture instanceof Capture.Linear);
    }

    private static Means one(LayerMatrix layer, Gradients gradients) {
        List<Value> inputs = new ArrayList<>(), outputs = new ArrayList<>();
        double places = 0;
        for (Capture capture : layer.captures()) {
            Value ds = gradients.of(capture);
            switch (capture) {
                case Capture.Linear c -> {
                    inputs.add(c.matrix(c.a()).sum(0).reshape(1, c.a().dim(-1)));
                    outputs.add(c.matrix(ds).sum(0).reshape(1, ds.dim(-1)));
                    places += c.rows();
                }
                case Capture.Conv2d c -> {
                    inputs.add(Patches.sum(c));
                    outputs.add(ds.sum(0, 2, 3).reshape(layer.groups(), layer.outputs()));
                    places += (double) ds.shape().elements() / ds.dim(1);
                }
                case Capture.Embedding c -> {
                    inputs.add(counts(c, layer.inputs()).reshape(1, layer.inputs()));
                    outputs.add(ds.reshape(-1, layer.outputs()).sum(0).reshape(1, layer.outputs()));
                    places += c.a().shape().elements();
                }
                case Capture.BatchNorm2d _, Capture.LayerNorm _ ->
                    throw new KingfisherException(
                            "The means of " + layer.path() + ", a norm layer, are its gradient; update it with that.");
            }
        }
        Graph graph = layer.graph();
        Value mean = graph.sum(inputs).mul(1 / places);
        if (layer.homogeneous()) {
            mean = graph.concat(1, List.of(mean, graph.ones(DType.F32, Shape.of(layer.groups(), 1))));
        }
        return new Means(mean, graph.sum(outputs));
    }

    /** How often each of the words was looked up [words]. */
    static Value counts(Capture.Embedding c, long words) {
        long tokens = c.a().shape().elements();
        Graph graph = c.a().graph();
        return graph.add(new ScatterAdd(words), c.a().reshape(tokens), graph.ones(DType.F32, Shape.of(tokens)))
                .output(0);
    }
}
