package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;

/** An elementwise function without parameters. */
public final class Activation extends Layer {
    private static final Expr X = Expr.arg(0);

    private final String kind;
    private final Expr function;

    private Activation(String kind, Expr function) {
        this.kind = kind;
        this.function = function;
    }

    /** Any function of one number; its name is for reading only. */
    public static Activation of(String name, Expr function) {
        return new Activation(name, function);
    }

    /** max(x, 0), with slope 0 at 0; NaN stays NaN. */
    public static Activation relu() {
        return of("ReLU", Expr.select(X.lessOrEqual(Expr.of(0)), Expr.of(0), X));
    }

    /** x Phi(x) with the normal distribution's Phi (Hendrycks and Gimpel, 2016). */
    public static Activation gelu() {
        return of("GELU", X.mul(0.5).mul(X.mul(Math.sqrt(0.5)).erf().add(1)));
    }

    /** {@link #gelu} by its approximation with the hyperbolic tangent. */
    public static Activation geluTanh() {
        Expr inner = X.add(X.mul(X).mul(X).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
        return of("GELU (tanh)", X.mul(0.5).mul(inner.tanh().add(1)));
    }

    /** x sigmoid(x). */
    public static Activation silu() {
        return of("SiLU", X.mul(X.sigmoid()));
    }

    public static Activation tanh() {
        return of("Tanh", X.tanh());
    }

    public static Activation sigmoid() {
        return of("Sigmoid", X.sigmoid());
    }

    /** 0 up to -3, x from 3 on, x (x + 3) / 6 between (Howard et al., 2019). */
    public static Activation hardswish() {
        Expr middle = X.mul(X.add(3)).mul(1.0 / 6);
        Expr upper = Expr.select(X.lessThan(Expr.of(3)), middle, X);
        return of("Hardswish", Expr.select(X.lessOrEqual(Expr.of(-3)), Expr.of(0), upper));
    }

    @Override
    protected Value forward(Recording r, Value x) {
        return r.graph().map(function, x);
    }

    @Override
    public String toString() {
        return kind + (path().isEmpty() ? "" : " " + path());
    }
}
