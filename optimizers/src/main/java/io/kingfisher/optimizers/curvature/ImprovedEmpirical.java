package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The gradients of single samples divided by the length of their losses' gradients with respect to the output. */
final class ImprovedEmpirical {
    private ImprovedEmpirical() {}

    static List<LabelSource.Draw> draws(Gradients gradients, double floor) {
        List<Value> predictions =
                gradients.likelihoods().stream().map(Likelihood::prediction).toList();
        List<Value> dz = Autodiff.gradients(gradients.loss(), predictions);
        Value samples = gradients.samples();
        Expr scale = Expr.arg(0)
                .mul(Expr.arg(1))
                .div(Expr.arg(2).mul(Expr.arg(1).square()).max(Expr.of(floor)).sqrt());
        Map<Capture, Value> scaled = new LinkedHashMap<>();
        for (Capture capture : gradients.captures()) {
            Value ds = gradients.of(capture);
            Value squares = squares(capture, dz.get(microBatch(capture, predictions)));
            scaled.put(capture, ds.graph().map(scale, ds, samples, squares));
        }
        return List.of(new LabelSource.Draw(1, scaled));
    }

    /** Which prediction a capture led to: the first that was recorded after it. */
    private static int microBatch(Capture capture, List<Value> predictions) {
        int own = capture.s().node().id();
        for (int k = 0; k < predictions.size(); k++) {
            if (predictions.get(k).node().id() >= own) {
                return k;
            }
        }
        throw new KingfisherException("The output of " + capture.layer().label() + " comes after all predictions.");
    }

    /** The squared length of dz for each index of the first axis of a capture's output, as a column beside it. */
    private static Value squares(Capture capture, Value dz) {
        Shape s = capture.s().shape();
        long batch = s.rank() < 2 ? 1 : s.dim(0), rows = dz.dim(0);
        Value each;
        if (rows % batch == 0) {
            each = dz.reshape(batch, dz.shape().elements() / batch).square().sum(1);
        } else if (batch % rows == 0) {
            each = dz.reshape(rows, dz.shape().elements() / rows)
                    .square()
                    .sum(1)
                    .reshape(rows, 1)
                    .broadcastTo(Shape.of(rows, batch / rows));
        } else {
            throw new KingfisherException(
                    "The output " + s + " of " + capture.layer().label()
                            + " does not say which samples of the prediction " + dz.shape()
                            + " it belongs to; take labels of another kind.");
        }
        Shape column = Shape.of(batch);
        for (int k = 1; k < s.rank(); k++) {
            column = column.concat(Shape.of(1));
        }
        return each.reshape(s.rank() < 2 ? Shape.of(1) : column);
    }
}
