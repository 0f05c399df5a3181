package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;

/**
 * The elementwise language: what a {@link Map} computes for one element from its arguments' elements. One definition serves
 * every device. Expressions are immutable and may share parts; who walks them must remember what it has visited.
 *
 * <p>Comparisons give 1 or 0; a condition holds where it is not 0.
 */
public sealed interface Expr {
    /** The element of the map's input number {@code index}. */
    record Arg(int index) implements Expr {}

    record Const(double value) implements Expr {}

    record Unary(UnaryOp op, Expr x) implements Expr {}

    record Binary(BinaryOp op, Expr a, Expr b) implements Expr {}

    /** {@code a} where the condition is not 0, else {@code b}: what is not chosen may be NaN. */
    record Select(Expr condition, Expr a, Expr b) implements Expr {}

    /** The functions of one argument. */
    enum UnaryOp {
        NEG,
        ABS,
        /** -1, 0 or 1; NaN stays NaN. */
        SIGN,
        SQRT,
        EXP,
        LOG,
        TANH,
        /** 1 / (1 + exp(-x)). */
        SIGMOID,
        /** The error function 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
        ERF,
        FLOOR,
        SIN,
        COS,
        /** log(1 + exp(x)) without overflow. */
        SOFTPLUS,
        /** 1 where the argument is neither infinite nor NaN, else 0. */
        IS_FINITE
    }

    /** The functions of two arguments. */
    enum BinaryOp {
        ADD,
        SUB,
        MUL,
        DIV,
        /** The larger; NaN where either is NaN. */
        MAX,
        /** The smaller; NaN where either is NaN. */
        MIN,
        /** a to the power b, as Math.pow. */
        POW,
        LT,
        LE,
        EQ
    }

    static Expr arg(int index) {
        return new Arg(index);
    }

    static Expr of(double value) {
        return new Const(value);
    }

    static Expr unary(UnaryOp op, Expr x) {
        if (op == UnaryOp.NEG && x instanceof Unary(UnaryOp inner, Expr y) && inner == UnaryOp.NEG) {
            return y;
        }
        return x instanceof Const(double value) ? of(apply(op, value)) : new Unary(op, x);
    }

    static Expr binary(BinaryOp op, Expr a, Expr b) {
        if (a instanceof Const(double x) && b instanceof Const(double y)) {
            return of(apply(op, x, y));
        }
        boolean zeroA = is(a, 0), zeroB = is(b, 0), oneA = is(a, 1), oneB = is(b, 1);
        return switch (op) {
            case ADD -> zeroA ? b : zeroB ? a : new Binary(op, a, b);
            case SUB -> zeroB ? a : zeroA ? unary(UnaryOp.NEG, b) : new Binary(op, a, b);
            case MUL -> oneA ? b : oneB ? a : new Binary(op, a, b);
            case DIV -> oneB ? a : new Binary(op, a, b);
            case POW -> oneB ? a : is(b, 2) ? a.mul(a) : new Binary(op, a, b);
            case MAX, MIN, LT, LE, EQ -> new Binary(op, a, b);
        };
    }

    private static boolean is(Expr e, double value) {
        return e instanceof Const(double v) && v == value;
    }

    static Expr select(Expr condition, Expr a, Expr b) {
        return condition instanceof Const(double value) ? value != 0 ? a : b : new Select(condition, a, b);
    }

    default Expr add(Expr b) {
        return binary(BinaryOp.ADD, this, b);
    }

    default Expr add(double b) {
        return add(of(b));
    }

    default Expr sub(Expr b) {
        return binary(BinaryOp.SUB, this, b);
    }

    default Expr sub(double b) {
        return sub(of(b));
    }

    default Expr mul(Expr b) {
        return binary(BinaryOp.MUL, this, b);
    }

    default Expr mul(double b) {
        return mul(of(b));
    }

    default Expr div(Expr b) {
        return binary(BinaryOp.DIV, this, b);
    }

    default Expr div(double b) {
        return div(of(b));
    }

    default Expr max(Expr b) {
        return binary(BinaryOp.MAX, this, b);
    }

    default Expr min(Expr b) {
        return binary(BinaryOp.MIN, this, b);
    }

    default Expr pow(Expr b) {
        return binary(BinaryOp.POW, this, b);
    }

    default Expr pow(double b) {
        return pow(of(b));
    }

    default Expr lessThan(Expr b) {
        return binary(BinaryOp.LT, this, b);
    }

    default Expr lessOrEqual(Expr b) {
        return binary(BinaryOp.LE, this, b);
    }

    default Expr equalTo(Expr b) {
        return binary(BinaryOp.EQ, this, b);
    }

    default Expr neg() {
        return unary(UnaryOp.NEG, this);
    }

    default Expr abs() {
        return unary(UnaryOp.ABS, this);
    }

    default Expr sign() {
        return unary(UnaryOp.SIGN, this);
    }

    default Expr sqrt() {
        return unary(UnaryOp.SQRT, this);
    }

    default Expr exp() {
        return unary(UnaryOp.EXP, this);
    }

    default Expr log() {
        return unary(UnaryOp.LOG, this);
    }

    default Expr tanh() {
        return unary(UnaryOp.TANH, this);
    }

    default Expr sigmoid() {
        return unary(UnaryOp.SIGMOID, this);
    }

    default Expr erf() {
        return unary(UnaryOp.ERF, this);
    }

    default Expr softplus() {
        return unary(UnaryOp.SOFTPLUS, this);
    }

    default Expr square() {
        return mul(this);
    }

    /** The value of a function of one argument in double precision: the meaning of the op. */
    static double apply(UnaryOp op, double x) {
        return switch (op) {
            case NEG -> -x;
            case ABS -> Math.abs(x);
            case SIGN -> Math.signum(x);
            case SQRT -> Math.sqrt(x);
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
            case ERF -> Erf.erf(x);
            case FLOOR -> Math.floor(x);
            case SIN -> Math.sin(x);
            case COS -> Math.cos(x);
            case SOFTPLUS -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
            case IS_FINITE -> Double.isFinite(x) ? 1 : 0;
        };
    }

    /** The value of a function of two arguments in double precision: the meaning of the op. */
    static double apply(BinaryOp op, double a, double b) {
        return switch (op) {
            case ADD -> a + b;
            case SUB -> a - b;
            case MUL -> a * b;
            case DIV -> a / b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
            case POW -> Math.pow(a, b);
            case LT -> a < b ? 1 : 0;
            case LE -> a <= b ? 1 : 0;
            case EQ -> a == b ? 1 : 0;
        };
    }

    /** An exception for an argument that a map does not have. */
    static KingfisherException noArgument(int index, int count) {
        return new KingfisherException(
                "The expression reads argument " + index + ", but the map has only " + count + " inputs.");
    }
}
