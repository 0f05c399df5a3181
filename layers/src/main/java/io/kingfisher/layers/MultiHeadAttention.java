package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Self-attention with several heads (Vaswani et al., 2017) over x [B x T x width]. Parameters as in PyTorch's
 * {@code nn.MultiheadAttention}: {@code in_proj_weight} [3 width x width] (query, key, value one below the other),
 * {@code in_proj_bias} [3 width], {@code out_proj.weight} [width x width], {@code out_proj.bias} [width]. The packed input
 * projection has one capture, the output projection another.
 */
public final class MultiHeadAttention extends Layer {
    /** So low that its exponential is 0 beside any real score; finite, so that a row without any key has no NaN. */
    private static final double MASKED = -1e30;

    private final long width;
    private final int heads;
    private final boolean causal;
    private final Parameter inWeight;
    private final Parameter inBias;
    private final Linear out;

    /**
     * @param width of the embedding, a multiple of {@code heads}
     * @param causal whether each position sees itself and those before it only
     */
    public MultiHeadAttention(long width, int heads, boolean causal) {
        if (heads < 1 || width < 1 || width % heads != 0) {
            throw new KingfisherException(
                    "Attention needs a width that its heads divide, not width " + width + " and " + heads + " heads.");
        }
        this.width = width;
        this.heads = heads;
        this.causal = causal;
        this.inWeight = parameter("in_proj_weight", Shape.of(3 * width, width), Initializer.xavierUniform());
        this.inBias = parameter("in_proj_bias", Shape.of(3 * width), Initializer.constant(0));
        this.out = child("out_proj", new Linear(width, width));
        out.bias().orElseThrow().initializer(Initializer.constant(0));
    }

    public Parameter inWeight() {
        return inWeight;
    }

    public Parameter inBias() {
        return inBias;
    }

    /** The projection of the joined heads. */
    public Linear out() {
        return out;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return attend(r, x, Optional.empty());
    }

    /**
     * Attention that leaves keys out.
     *
     * @param padding [B x T], not 0 at positions that nobody may look at; what a position without any key to look at gives
     *     is the mean of all values
     */
    public Value apply(Recording r, Value x, Value padding) {
        return scoped(r, () -> attend(r, x, Optional.of(padding)));
    }

    private Value attend(Recording r, Value x, Optional<Value> padding) {
        if (x.rank() != 3 || x.dim(2) != width) {
            throw new KingfisherException(label() + " takes [B x T x " + width + "], not " + x.type() + ".");
        }
        long batch = x.dim(0), length = x.dim(1);
        if (padding.isPresent() && !padding.get().shape().equals(Shape.of(batch, length))) {
            throw new KingfisherException(label() + " takes a padding mask " + Shape.of(batch, length) + ", not "
                    + padding.get().type() + ".");
        }
        Value packed = r.narrow(Linear.project(r, this, inWeight, Optional.of(inBias), x))
                .reshape(batch, length, 3, heads, width / heads)
                .transpose(2, 0, 3, 1, 4);
        Value query = part(packed, 0), key = part(packed, 1), value = part(packed, 2);
        Value seen = padding.isPresent()
                ? r.narrow(masked(r.wide(query.matmul(key, false, true)), padding.get())
                                .softmax())
                        .matmul(value)
                : Attention.record(query, key, value, scale(), causal);
        seen = r.wide(seen);
        return out.apply(r, seen.transpose(0, 2, 1, 3).reshape(batch, length, width));
    }

    /** Query, key or value out of [3 x B x heads x T x width / heads]. */
    private static Value part(Value packed, int index) {
        return packed.slice(0, index, index + 1).reshape(packed.shape().slice(1, 5));
    }

    private double scale() {
        return 1 / Math.sqrt((double) width / heads);
    }

    private Value masked(Value scores, Value padding) {
        Expr result = Expr.arg(0).mul(scale());
        List<Value> arguments = new ArrayList<>(List.of(scores));
        int length = Math.toIntExact(scores.dim(-1));
        if (causal) {
            Value positions = scores.graph().iota(DType.I32, length);
            arguments.add(positions.reshape(length, 1));
            arguments.add(positions);
            result = Expr.select(Expr.arg(1).lessThan(Expr.arg(2)), Expr.of(MASKED), result);
        }
        result = Expr.select(Expr.arg(arguments.size()), Expr.of(MASKED), result);
        arguments.add(padding.reshape(scores.dim(0), 1, 1, length));
        return scores.graph().map(result, scores.dtype(), arguments);
    }
}
