package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import java.util.List;

/** The activations that libraries compute while they store a product, as they are recorded in graphs. */
public enum Activation {
    RELU(Expr.select(Expr.arg(0).lessOrEqual(Expr.of(0)), Expr.of(0), Expr.arg(0))),
    /** GELU's approximation with a hyperbolic tangent. The exact one, with the error function, no library fuses. */
    GELU_TANH(Expr.arg(0).mul(0.5).mul(inner(Expr.arg(0)).tanh().add(1)));

    private final Expr function;
    private final Expr gradient;

    Activation(Expr function) {
        this.function = function;
        this.gradient = Exprs.gradients(List.of(function), List.of(Expr.arg(1)), 1)[0];
    }

    private static Expr inner(Expr x) {
        return x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    }

    /** The function of an argument. */
    public Expr of(int x) {
        return Exprs.substitute(function, _ -> Expr.arg(x));
    }

    /** What automatic differentiation records: the function's slope at an argument times another argument. */
    public Expr gradient(int x, int dy) {
        return Exprs.substitute(gradient, i -> Expr.arg(i == 0 ? x : dy));
    }
}
