package io.kingfisher.optimizers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** What happens to gradients before an optimizer sees them. */
public sealed interface Clipping {
    /** The gradients, clipped, in the same order. */
    List<Value> apply(Graph graph, List<Value> gradients);

    /** Gradients as they are. */
    record None() implements Clipping {
        @Override
        public List<Value> apply(Graph graph, List<Value> gradients) {
            return gradients;
        }
    }

    /**
     * All gradients times min(1, limit / (norm + 1e-6)), where norm is the Euclidean norm of all of them together (Pascanu et
     * al., 2013; the small constant as in PyTorch).
     */
    record GlobalNorm(double limit) implements Clipping {
        public GlobalNorm {
            positive(limit);
        }

        @Override
        public List<Value> apply(Graph graph, List<Value> gradients) {
            if (gradients.isEmpty()) {
                return gradients;
            }
            List<Value> squares = gradients.stream().map(g -> g.square().sum()).toList();
            Expr factor = Expr.of(limit).div(Expr.arg(0).sqrt().add(1e-6)).min(Expr.of(1));
            Value scale = graph.sum(squares).map(factor);
            return gradients.stream().map(g -> g.mul(scale)).toList();
        }
    }

    /** Each element kept between -limit and limit. */
    record ByValue(double limit) implements Clipping {
        public ByValue {
            positive(limit);
        }

        @Override
        public List<Value> apply(Graph graph, List<Value> gradients) {
            Expr clamped = Expr.arg(0).min(Expr.of(limit)).max(Expr.of(-limit));
            return gradients.stream().map(g -> g.map(clamped)).toList();
        }
    }

    private static void positive(double limit) {
        if (!(limit > 0)) {
            throw new KingfisherException("Gradients are clipped at a positive limit, not " + limit + ".");
        }
    }
}
