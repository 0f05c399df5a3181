package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * A recorded loss: the sum of its terms and their number, both F32 scalars, and the mean, which is what is differentiated.
 * The mean of no terms is 0.
 */
public record LossValue(Value sum, Value count, Value mean) {
    static LossValue of(Value sum, Value count) {
        Expr s = Expr.arg(0), n = Expr.arg(1);
        return new LossValue(sum, count, sum.graph().map(s.div(n.max(Expr.of(1))), sum, count));
    }

    /** The loss of several micro-batches as if they had been one batch. */
    public static LossValue join(List<LossValue> parts) {
        if (parts.isEmpty()) {
            throw new KingfisherException("There is no loss to join; give that of at least one micro-batch.");
        }
        if (parts.size() == 1) {
            return parts.get(0);
        }
        Graph graph = parts.get(0).sum().graph();
        return of(
                graph.sum(parts.stream().map(LossValue::sum).toList()),
                graph.sum(parts.stream().map(LossValue::count).toList()));
    }
}
