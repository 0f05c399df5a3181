package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * A recorded loss: the sum of its terms and their number, both F32 scalars, and the mean, which is what is differentiated.
 * The mean of no terms is 0.
 *
 * @param likelihoods the loss as a function of each micro-batch's prediction; none where it is not known as one
 */
public record LossValue(Value sum, Value count, Value mean, List<Likelihood> likelihoods) {
    public LossValue {
        likelihoods = List.copyOf(likelihoods);
    }

    /** A loss of which nothing is known but its value. */
    public LossValue(Value sum, Value count, Value mean) {
        this(sum, count, mean, List.of());
    }

    static LossValue of(Value sum, Value count, List<Likelihood> likelihoods) {
        Expr s = Expr.arg(0), n = Expr.arg(1);
        return new LossValue(sum, count, sum.graph().map(s.div(n.max(Expr.of(1))), sum, count), likelihoods);
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
                graph.sum(parts.stream().map(LossValue::count).toList()),
                parts.stream().allMatch(part -> !part.likelihoods.isEmpty())
                        ? parts.stream()
                                .flatMap(part -> part.likelihoods.stream())
                                .toList()
                        : List.of());
    }
}
