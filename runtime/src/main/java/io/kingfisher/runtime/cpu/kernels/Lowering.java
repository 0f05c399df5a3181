package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.kernels.Code.Inst;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Exprs;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Turns expressions into {@link Code}. */
final class Lowering {
    private final Code code;
    private final Kind kind;
    private final Approximations approximations;

    private Lowering(Code code, Kind kind) {
        this.code = code;
        this.kind = kind;
        this.approximations = new Approximations(code);
    }

    /** Appends expressions to the code, argument i being operand i, and returns the number of each one's value. */
    static int[] lower(Code code, Kind kind, List<Expr> roots) {
        Lowering lowering = new Lowering(code, kind);
        Map<Expr, Integer> values = new IdentityHashMap<>();
        for (Expr e : Exprs.ordered(roots)) {
            values.put(
                    e,
                    switch (e) {
                        case Expr.Arg(int index) -> code.load(index, kind);
                        case Expr.Const(double value) -> code.constant(value, kind);
                        case Expr.Unary(UnaryOp op, Expr x) -> lowering.unary(op, values.get(x));
                        case Expr.Binary(BinaryOp op, Expr a, Expr b) ->
                            lowering.binary(op, values.get(a), values.get(b));
                        case Expr.Select(Expr c, Expr a, Expr b) ->
                            lowering.select(values.get(c), values.get(a), values.get(b));
                    });
        }
        return roots.stream().mapToInt(values::get).toArray();
    }

    private int constant(double value) {
        return code.constant(value, kind);
    }

    private int unary(UnaryOp op, int x) {
        return switch (op) {
            case NEG -> code.unary(Op.NEG, x);
            case ABS -> code.unary(Op.ABS, x);
            case SQRT -> code.unary(Op.SQRT, x);
            case SIGN -> {
                int orNegative = code.select(code.compare(Op.LT, x, constant(0)), constant(-1), x);
                yield code.select(code.compare(Op.LT, constant(0), x), constant(1), orNegative);
            }
            case IS_FINITE -> {
                double largest = kind == Kind.D ? Double.MAX_VALUE : Float.MAX_VALUE;
                yield number(code.compare(Op.LE, code.unary(Op.ABS, x), constant(largest)));
            }
            case EXP -> kind == Kind.D ? call(Functions.EXP, x, -1) : approximations.exp(x);
            case LOG -> kind == Kind.D ? call(Functions.LOG, x, -1) : approximations.log(x);
            case TANH -> kind == Kind.D ? call(Functions.TANH, x, -1) : approximations.tanh(x);
            case SIGMOID -> kind == Kind.D ? call(Functions.SIGMOID, x, -1) : approximations.sigmoid(x);
            case ERF -> kind == Kind.D ? call(Functions.ERF, x, -1) : approximations.erf(x);
            case FLOOR -> kind == Kind.D ? call(Functions.FLOOR, x, -1) : approximations.floor(x);
            case SOFTPLUS -> kind == Kind.D ? call(Functions.SOFTPLUS, x, -1) : approximations.softplus(x);
            case SIN -> call(Functions.SIN, x, -1);
            case COS -> call(Functions.COS, x, -1);
        };
    }

    private int binary(BinaryOp op, int a, int b) {
        return switch (op) {
            case ADD -> code.plus(a, b);
            case SUB -> code.minus(a, b);
            case MUL -> code.times(a, b);
            case DIV -> code.over(a, b);
            case MAX -> code.binary(Op.MAX, a, b);
            case MIN -> code.binary(Op.MIN, a, b);
            case LT -> number(code.compare(Op.LT, a, b));
            case LE -> number(code.compare(Op.LE, a, b));
            case EQ -> number(code.compare(Op.EQ, a, b));
            case POW -> pow(a, b);
        };
    }

    private int call(Functions function, int a, int b) {
        return code.call(function, kind, a, b);
    }

    private int number(int condition) {
        return code.select(condition, constant(1), constant(0));
    }

    private int select(int c, int a, int b) {
        Inst condition = code.inst(c);
        if (condition.op() == Op.SELECT && condition.b() == constant(1) && condition.c() == constant(0)) {
            return code.select(condition.a(), a, b);
        }
        // NaN counts as not 0.
        return code.select(code.compare(Op.EQ, c, constant(0)), b, a);
    }

    /** Powers with exponents that come cheaper by multiplying and by square roots. */
    private int pow(int x, int exponent) {
        Inst e = code.inst(exponent);
        if (e.op() != Op.CONST || kind == Kind.D) {
            return call(Functions.POW, x, exponent);
        }
        float power = Float.intBitsToFloat((int) e.bits());
        if (power == 0) {
            return constant(1);
        } else if (power == -1) {
            return code.over(constant(1), x);
        } else if (power == -2) {
            int r = code.over(constant(1), x);
            return code.times(r, r);
        } else if (power == 3) {
            return code.times(code.times(x, x), x);
        } else if (power == 0.5f) {
            return root(x);
        } else if (power == -0.5f) {
            return code.over(constant(1), root(x));
        }
        return call(Functions.POW, x, exponent);
    }

    /** pow(x, 0.5): as the square root but for -0 and -infinity. */
    private int root(int x) {
        int infinity = constant(Double.POSITIVE_INFINITY);
        int lowest = code.compare(Op.EQ, x, constant(Double.NEGATIVE_INFINITY));
        return code.select(lowest, infinity, code.unary(Op.SQRT, code.plus(x, constant(0))));
    }
}
