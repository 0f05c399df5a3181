package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/** The lengths of directions. */
final class Norms {
    private Norms() {}

    /** The directions of a layer, as long together as the gradients that they were made of. */
    static Map<Parameter, Value> restored(Map<Parameter, Value> directions, Map<Parameter, Value> gradients) {
        Graph graph = gradients.values().iterator().next().graph();
        Value wanted = graph.sum(
                gradients.values().stream().map(g -> Matrices.dot(g, g)).toList());
        Value found = graph.sum(
                directions.values().stream().map(d -> Matrices.dot(d, d)).toList());
        Expr ratio = Expr.arg(0).div(Expr.arg(1).max(Expr.of(1e-30))).sqrt();
        Value factor = graph.map(ratio, wanted, found);
        Map<Parameter, Value> result = new LinkedHashMap<>();
        directions.forEach((parameter, direction) -> result.put(parameter, direction.mul(factor)));
        return result;
    }
}
