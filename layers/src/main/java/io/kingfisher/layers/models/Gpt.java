package io.kingfisher.layers.models;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Dropout;
import io.kingfisher.layers.Embedding;
import io.kingfisher.layers.Initializer;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LayerNorm;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MultiHeadAttention;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.layers.TiedLinear;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;

/**
 * A decoder-only transformer (Radford et al., 2019): tokens I32 [B x T] to the logits [B x T x vocabulary] of what follows
 * each. Learned positions, normalisation before each part, exact GELU, four times the width inside. Weights begin normal
 * with deviation 0.02, those of layers that end in the residual stream divided by sqrt(2 depth); biases with 0.
 */
final class Gpt extends Layer {
    private static final double DEVIATION = 0.02;

    private final int context;
    private final Embedding tokens, positions;
    private final Dropout dropout;
    private final Sequential blocks;
    private final LayerNorm norm;
    private final Layer head;

    static Layer of(Shape input, int vocabulary, Sizes sizes) {
        if (input.rank() != 1 || input.dim(0) < 1) {
            throw new KingfisherException("The model gpt-mini takes [T] tokens, at least one, not " + input + ".");
        }
        return new Gpt(
                vocabulary,
                input.size(0),
                sizes.count("width", 256),
                sizes.count("depth", 4),
                sizes.count("heads", 4),
                sizes.flag("tied", false),
                sizes.share("dropout", 0));
    }

    private Gpt(int vocabulary, int context, int width, int depth, int heads, boolean tied, double dropout) {
        this.context = context;
        this.tokens = child("tokens", new Embedding(vocabulary, width));
        this.positions = child("positions", new Embedding(context, width));
        this.dropout = child("dropout", new Dropout(dropout));
        this.blocks = child("blocks", new Sequential());
        for (int i = 0; i < depth; i++) {
            blocks.add(new Block(width, heads, dropout));
        }
        this.norm = child("norm", new LayerNorm(width));
        this.head = child("head", tied ? new TiedLinear(tokens) : new Linear(width, vocabulary, false));
        for (Parameter parameter : parameters()) {
            boolean residual = parameter.path().endsWith("out_proj.weight")
                    || parameter.path().endsWith("fc2.weight");
            if (parameter.shape().rank() == 2) {
                parameter.initializer(Initializer.normal(residual ? DEVIATION / Math.sqrt(2.0 * depth) : DEVIATION));
            } else if (!parameter.name().equals("weight")) {
                parameter.initializer(Initializer.constant(0));
            }
        }
    }

    @Override
    protected Value forward(Recording r, Value x) {
        if (x.dtype() != DType.I32 || x.rank() != 2 || x.dim(1) > context) {
            throw new KingfisherException("The model takes tokens I32 [B x T] with at most " + context
                    + " of each text, not " + x.type() + ".");
        }
        // Looked up for each text anew: curvature needs each text's own gradient, not their sum.
        Value places = r.graph().iota(DType.I32, x.shape().size(1)).broadcastTo(x.shape());
        Value y = dropout.apply(r, tokens.apply(r, x).add(positions.apply(r, places)));
        return head.apply(r, norm.apply(r, blocks.apply(r, y)));
    }

    private static final class Block extends Layer {
        private final LayerNorm norm1, norm2;
        private final MultiHeadAttention attention;
        private final Sequential mlp;
        private final Dropout dropout;

        Block(int width, int heads, double dropout) {
            norm1 = child("norm1", new LayerNorm(width));
            attention = child("attention", new MultiHeadAttention(width, heads, true));
            norm2 = child("norm2", new LayerNorm(width));
            mlp = child(
                    "mlp",
                    new Sequential()
                            .add("fc1", new Linear(width, 4L * width))
                            .add("gelu", Activation.gelu())
                            .add("fc2", new Linear(4L * width, width)));
            this.dropout = child("dropout", new Dropout(dropout));
        }

        @Override
        protected Value forward(Recording r, Value x) {
            Value y = x.add(dropout.apply(r, attention.apply(r, norm1.apply(r, x))));
            return y.add(dropout.apply(r, mlp.apply(r, norm2.apply(r, y))));
        }
    }
}
