package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al., 2017, eq. 1): softmax(Q K^T scale) V of Q [B x H x T x D] and K, V
 * [B x H x S x D], the softmax being over the S keys. Results: the output [B x H x T x D] and the logarithm of each query's
 * sum of exponentials [B x H x T], the latter in F64 for F64, else in F32.
 *
 * @param scale what the products are multiplied by, usually 1 / sqrt(D)
 * @param causal whether query i sees keys 0 to i only
 */
public record Attention(double scale, boolean causal) implements Fused {
    /** So low that its exponential is 0 beside any real score, and finite, so that no difference is a NaN. */
    private static final double HIDDEN = -1e30;

    @Override
    public List<Type> infer(List<Type> inputs) {
        Type q = inputs.get(0), k = inputs.get(1);
        Shape query = q.shape(), key = k.shape();
        if (query.rank() != 4
                || key.rank() != 4
                || !key.with(2, query.dim(2)).equals(query)
                || !inputs.get(2).equals(k)
                || !Type.oneFloating(inputs)) {
            throw new KingfisherException(
                    "Attention takes queries [B x H x T x D] and keys and values [B x H x S x D] of"
                            + " one floating type, not " + inputs + ".");
        }
        if (key.dim(2) == 0) {
            throw new KingfisherException("Attention needs at least one key, not " + inputs + ".");
        }
        return List.of(q, new Type(q.dtype().computeType(), query.slice(0, 3)));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value scores = scores(inputs.get(0), inputs.get(1));
        Value output = scores.softmax().matmul(inputs.get(2));
        DType wide = output.dtype().computeType();
        Value high = scores.cast(wide), shift = high.max(-1).detach();
        Value sum = high.sub(LayerNorm.column(shift)).exp().sum(-1).log().add(shift);
        return List.of(output, sum);
    }

    /** The scaled products [B x H x T x S], hidden where a query must not look. */
    Value scores(Value q, Value k) {
        Expr result = Expr.arg(0).mul(scale);
        List<Value> arguments = new ArrayList<>(List.of(q.matmul(k, false, true)));
        if (causal) {
            Graph g = q.graph();
            arguments.add(g.iota(DType.I32, (int) q.dim(2)).reshape(q.dim(2), 1));
            arguments.add(g.iota(DType.I32, (int) k.dim(2)));
            result = Expr.select(Expr.arg(1).lessThan(Expr.arg(2)), Expr.of(HIDDEN), result);
        }
        return q.graph().map(result, q.dtype(), arguments);
    }

    @Override
    public List<Value> fusedVjp(Node node, List<Value> gradients) {
        if (gradients.get(0) == null || gradients.get(1) != null) {
            return null;
        }
        List<Value> operands = new ArrayList<>(node.inputs());
        operands.addAll(node.outputs());
        operands.add(gradients.get(0));
        return node.graph().add(new AttentionGrad(this), operands).outputs();
    }

    /** The output of attention, recorded. */
    public static Value record(Value q, Value k, Value v, double scale, boolean causal) {
        return q.graph()
                .add(new Attention(scale, causal), Arrays.asList(q, k, v))
                .output(0);
    }
}
