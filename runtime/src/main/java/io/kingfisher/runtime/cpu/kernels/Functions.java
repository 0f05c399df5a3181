package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.UnaryOp;

/**
 * Functions that kernels call an element at a time: everything in double precision, and those too rare in single precision to
 * have vector code. All but the sine, the cosine and the power, whose strict versions allocate, are the same on every machine.
 */
enum Functions {
    EXP(1),
    LOG(1),
    TANH(1),
    SIGMOID(1),
    ERF(1),
    FLOOR(1),
    SIN(1),
    COS(1),
    SOFTPLUS(1),
    POW(2);

    private final int arity;

    Functions(int arity) {
        this.arity = arity;
    }

    int arity() {
        return arity;
    }

    /** The name of the static method here. */
    String method() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    static double exp(double x) {
        return StrictMath.exp(x);
    }

    static double log(double x) {
        return StrictMath.log(x);
    }

    static double tanh(double x) {
        return StrictMath.tanh(x);
    }

    static double sigmoid(double x) {
        double z = StrictMath.exp(-Math.abs(x));
        return (x >= 0 ? 1 : z) / (1 + z);
    }

    static double erf(double x) {
        return Expr.apply(UnaryOp.ERF, x);
    }

    static double floor(double x) {
        return StrictMath.floor(x);
    }

    static double sin(double x) {
        return Math.sin(x);
    }

    static double cos(double x) {
        return Math.cos(x);
    }

    static double softplus(double x) {
        return Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
    }

    static double pow(double x, double y) {
        return Math.pow(x, y);
    }

    static float exp(float x) {
        return (float) exp((double) x);
    }

    static float log(float x) {
        return (float) log((double) x);
    }

    static float tanh(float x) {
        return (float) tanh((double) x);
    }

    static float sigmoid(float x) {
        return (float) sigmoid((double) x);
    }

    static float erf(float x) {
        return (float) erf((double) x);
    }

    static float floor(float x) {
        return (float) floor((double) x);
    }

    static float sin(float x) {
        return (float) sin((double) x);
    }

    static float cos(float x) {
        return (float) cos((double) x);
    }

    static float softplus(float x) {
        return (float) softplus((double) x);
    }

    static float pow(float x, float y) {
        return (float) pow((double) x, (double) y);
    }
}
