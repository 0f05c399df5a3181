package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Exprs;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Writes expressions as statements of CUDA C++, every part once; argument i is the variable {@code x<i>}. */
final class ExprWriter {
    private final boolean wide;
    private final String real;
    private final StringBuilder text = new StringBuilder();
    private final Map<Expr, String> names = new IdentityHashMap<>();
    private int variables;

    /** Writes in double precision or in single. */
    ExprWriter(boolean wide) {
        this.wide = wide;
        this.real = wide ? "double" : "float";
    }

    /** Appends what computes the expressions and returns each one's name or literal. */
    List<String> write(List<Expr> roots, String indent) {
        for (Expr e : Exprs.ordered(roots)) {
            switch (e) {
                case Expr.Arg(int index) -> names.put(e, "x" + index);
                case Expr.Const(double value) -> names.put(e, literal(value, wide));
                case Expr.Unary(UnaryOp op, Expr x) -> define(e, unary(op, names.get(x)), indent);
                case Expr.Binary(BinaryOp op, Expr a, Expr b) -> define(e, binary(op, a, b), indent);
                case Expr.Select(Expr c, Expr a, Expr b) ->
                    define(e, names.get(c) + " != 0 ? " + names.get(a) + " : " + names.get(b), indent);
            }
        }
        return roots.stream().map(names::get).toList();
    }

    String text() {
        return text.toString();
    }

    private void define(Expr e, String value, String indent) {
        String name = "v" + variables++;
        text.append(indent)
                .append("const ")
                .append(real)
                .append(' ')
                .append(name)
                .append(" = ");
        text.append(value).append(";\n");
        names.put(e, name);
    }

    private String suffixed(String function) {
        return wide ? function : function + "f";
    }

    private String unary(UnaryOp op, String x) {
        return switch (op) {
            case NEG -> "-" + (x.startsWith("-") ? "(" + x + ")" : x);
            case ABS -> suffixed("fabs") + "(" + x + ")";
            case SIGN -> "sign(" + x + ")";
            case SQRT -> suffixed("sqrt") + "(" + x + ")";
            case EXP -> suffixed("exp") + "(" + x + ")";
            case LOG -> suffixed("log") + "(" + x + ")";
            case TANH -> suffixed("tanh") + "(" + x + ")";
            case SIGMOID -> "sigmoid(" + x + ")";
            case ERF -> suffixed("erf") + "(" + x + ")";
            case FLOOR -> suffixed("floor") + "(" + x + ")";
            case SIN -> suffixed("sin") + "(" + x + ")";
            case COS -> suffixed("cos") + "(" + x + ")";
            case SOFTPLUS -> "softplus(" + x + ")";
            case IS_FINITE -> "number(is_finite(" + x + "), " + x + ")";
        };
    }

    private String binary(BinaryOp op, Expr left, Expr right) {
        String a = names.get(left), b = names.get(right);
        return switch (op) {
            case ADD -> a + " + " + b;
            case SUB -> a + " - " + (b.startsWith("-") ? "(" + b + ")" : b);
            case MUL -> a + " * " + b;
            case DIV -> a + " / " + b;
            case MAX -> "maximum(" + a + ", " + b + ")";
            case MIN -> "minimum(" + a + ", " + b + ")";
            case POW -> power(a, b, right);
            case LT -> comparison(a, "<", b);
            case LE -> comparison(a, "<=", b);
            case EQ -> comparison(a, "==", b);
        };
    }

    private String comparison(String a, String operator, String b) {
        return a + " " + operator + " " + b + " ? " + literal(1, wide) + " : " + literal(0, wide);
    }

    /** Powers with exponents that come cheaper by multiplying and by square roots. */
    private String power(String x, String y, Expr exponent) {
        double value = exponent instanceof Expr.Const(double v) ? v : Double.NaN;
        String one = literal(1, wide);
        if (value == 0) {
            return one;
        } else if (value == -1) {
            return one + " / " + x;
        } else if (value == -2) {
            return one + " / " + x + " * (" + one + " / " + x + ")";
        } else if (value == 3) {
            return x + " * " + x + " * " + x;
        } else if (value == 0.5) {
            return "root(" + x + ")";
        } else if (value == -0.5) {
            return one + " / root(" + x + ")";
        }
        return "power(" + x + ", " + y + ")";
    }

    /** A number as C++ writes it, in the type in which it is computed with. */
    static String literal(double value, boolean wide) {
        float single = (float) value;
        double rounded = wide ? value : single;
        if (Double.isNaN(rounded)) {
            return wide ? "__longlong_as_double(0x7ff8000000000000LL)" : "__int_as_float(0x7fc00000)";
        } else if (Double.isInfinite(rounded)) {
            String sign = rounded < 0 ? "-" : "";
            return sign + (wide ? "__longlong_as_double(0x7ff0000000000000LL)" : "__int_as_float(0x7f800000)");
        }
        return wide ? Double.toString(value) : Float.toString(single) + "f";
    }
}
