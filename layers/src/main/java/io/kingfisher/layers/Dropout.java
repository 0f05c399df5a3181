package io.kingfisher.layers;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;

/** Sets each element to 0 with a probability and scales the others to keep the mean (Srivastava et al., 2014). */
public final class Dropout extends Layer {
    private final double probability;

    /**
     * @param probability of dropping an element, in [0, 1]
     */
    public Dropout(double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new KingfisherException("Dropout needs a probability from 0 to 1, not " + probability + ".");
        }
        this.probability = probability;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        if (!r.training() || probability == 0) {
            return x;
        }
        Value u = r.random(Random.Distribution.UNIFORM, x.shape());
        Expr kept = Expr.of(probability).lessOrEqual(Expr.arg(1));
        double scale = probability == 1 ? 0 : 1 / (1 - probability);
        return r.graph().map(Expr.select(kept, Expr.arg(0).mul(scale), Expr.of(0)), x, u);
    }
}
