package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.graph.Expr.Arg;
import io.kingfisher.runtime.graph.Expr.Binary;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.Const;
import io.kingfisher.runtime.graph.Expr.Select;
import io.kingfisher.runtime.graph.Expr.Unary;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Evaluating, substituting and differentiating expressions, each part once however often it is shared. */
public final class Exprs {
    private Exprs() {}

    /** The parts of expressions in an order in which every part comes after the parts that it reads. */
    public static List<Expr> ordered(List<Expr> roots) {
        Map<Expr, Boolean> seen = new IdentityHashMap<>();
        List<Expr> order = new ArrayList<>();
        for (Expr root : roots) {
            visit(root, seen, order);
        }
        return order;
    }

    private static void visit(Expr e, Map<Expr, Boolean> seen, List<Expr> order) {
        if (seen.put(e, true) != null) {
            return;
        }
        switch (e) {
            case Arg _, Const _ -> {}
            case Unary(UnaryOp _, Expr x) -> visit(x, seen, order);
            case Binary(BinaryOp _, Expr a, Expr b) -> {
                visit(a, seen, order);
                visit(b, seen, order);
            }
            case Select(Expr c, Expr a, Expr b) -> {
                visit(c, seen, order);
                visit(a, seen, order);
                visit(b, seen, order);
            }
        }
        order.add(e);
    }

    /** The indices of the arguments that expressions read. */
    public static BitSet arguments(List<Expr> roots) {
        BitSet result = new BitSet();
        for (Expr e : ordered(roots)) {
            if (e instanceof Arg(int index)) {
                result.set(index);
            }
        }
        return result;
    }

    /** The values of expressions in double precision. */
    public static double[] evaluate(List<Expr> roots, double... arguments) {
        Map<Expr, Double> values = new IdentityHashMap<>();
        for (Expr e : ordered(roots)) {
            values.put(
                    e,
                    switch (e) {
                        case Arg(int index) -> arguments[index];
                        case Const(double value) -> value;
                        case Unary(UnaryOp op, Expr x) -> Expr.apply(op, values.get(x));
                        case Binary(BinaryOp op, Expr a, Expr b) -> Expr.apply(op, values.get(a), values.get(b));
                        case Select(Expr c, Expr a, Expr b) -> values.get(c) != 0 ? values.get(a) : values.get(b);
                    });
        }
        return roots.stream().mapToDouble(values::get).toArray();
    }

    /** The expressions with each argument replaced; parts shared before are shared after. */
    @SuppressWarnings("ReferenceEquality") // Shared parts are one object, and comparing deeply could take for ever.
    public static List<Expr> substitute(List<Expr> roots, IntFunction<Expr> replacement) {
        Map<Expr, Expr> done = new IdentityHashMap<>();
        for (Expr e : ordered(roots)) {
            done.put(
                    e,
                    switch (e) {
                        case Arg(int index) -> replacement.apply(index);
                        case Const _ -> e;
                        case Unary(UnaryOp op, Expr x) -> done.get(x) == x ? e : Expr.unary(op, done.get(x));
                        case Binary(BinaryOp op, Expr a, Expr b) ->
                            done.get(a) == a && done.get(b) == b ? e : Expr.binary(op, done.get(a), done.get(b));
                        case Select(Expr c, Expr a, Expr b) ->
                            done.get(c) == c && done.get(a) == a && done.get(b) == b
                                    ? e
                                    : Expr.select(done.get(c), done.get(a), done.get(b));
                    });
        }
        return roots.stream().map(done::get).toList();
    }

    public static Expr substitute(Expr root, IntFunction<Expr> replacement) {
        return substitute(List.of(root), replacement).get(0);
    }

    /**
     * The gradients of {@code sum_k seeds[k] * roots[k]} with respect to arguments 0 to {@code arguments - 1}, by reverse
     * accumulation; null for an argument that no root depends on smoothly.
     */
    public static Expr[] gradients(List<Expr> roots, List<Expr> seeds, int arguments) {
        Map<Expr, Expr> adjoint = new IdentityHashMap<>();
        for (int i = 0; i < roots.size(); i++) {
            accumulate(adjoint, roots.get(i), seeds.get(i));
        }
        Expr[] result = new Expr[arguments];
        List<Expr> order = ordered(roots);
        for (int i = order.size() - 1; i >= 0; i--) {
            Expr e = order.get(i);
            Expr d = adjoint.get(e);
            if (d == null) {
                continue;
            }
            switch (e) {
                case Arg(int index) -> result[index] = result[index] == null ? d : result[index].add(d);
                case Const _ -> {}
                case Unary(UnaryOp op, Expr x) -> {
                    Expr slope = slope(op, x, e);
                    if (slope != null) {
                        accumulate(adjoint, x, d.mul(slope));
                    }
                }
                case Binary(BinaryOp op, Expr a, Expr b) -> {
                    switch (op) {
                        case ADD -> {
                            accumulate(adjoint, a, d);
                            accumulate(adjoint, b, d);
                        }
                        case SUB -> {
                            accumulate(adjoint, a, d);
                            accumulate(adjoint, b, d.neg());
                        }
                        case MUL -> {
                            accumulate(adjoint, a, d.mul(b));
                            accumulate(adjoint, b, d.mul(a));
                        }
                        case DIV -> {
                            accumulate(adjoint, a, d.div(b));
                            accumulate(adjoint, b, d.mul(e).div(b).neg());
                        }
                        case MAX, MIN -> {
                            // Ties share the gradient, as in PyTorch.
                            Expr first = op == BinaryOp.MAX ? b.lessThan(a) : a.lessThan(b);
                            Expr half = a.equalTo(b).mul(0.5);
                            Expr share = first.add(half);
                            accumulate(adjoint, a, d.mul(share));
                            accumulate(adjoint, b, d.mul(Expr.of(1).sub(share)));
                        }
                        case POW -> {
                            accumulate(adjoint, a, d.mul(b).mul(a.pow(b.sub(1))));
                            if (!(b instanceof Const)) {
                                // 0^b stays 0 when b moves, although log 0 is infinite.
                                Expr flat = a.equalTo(Expr.of(0)).mul(Expr.of(0).lessOrEqual(b));
                                Expr slope = Expr.select(flat, Expr.of(0), e.mul(a.log()));
                                accumulate(adjoint, b, d.mul(slope));
                            }
                        }
                        case LT, LE, EQ -> {}
                    }
                }
                case Select(Expr c, Expr a, Expr b) -> {
                    accumulate(adjoint, a, Expr.select(c, d, Expr.of(0)));
                    accumulate(adjoint, b, Expr.select(c, Expr.of(0), d));
                }
            }
        }
        return result;
    }

    /** The derivative of a function at x, whose value there is {@code y}; null where it is zero everywhere. */
    private static Expr slope(UnaryOp op, Expr x, Expr y) {
        return switch (op) {
            case NEG -> Expr.of(-1);
            case ABS -> x.sign();
            case SQRT -> Expr.of(0.5).div(y);
            case EXP -> y;
            case LOG -> Expr.of(1).div(x);
            case TANH -> Expr.of(1).sub(y.square());
            case SIGMOID -> y.mul(Expr.of(1).sub(y));
            case ERF -> x.square().neg().exp().mul(2 / Math.sqrt(Math.PI));
            case SIN -> Expr.unary(UnaryOp.COS, x);
            case COS -> Expr.unary(UnaryOp.SIN, x).neg();
            case SOFTPLUS -> x.sigmoid();
            case SIGN, FLOOR, IS_FINITE -> null;
        };
    }

    private static void accumulate(Map<Expr, Expr> adjoint, Expr e, Expr d) {
        adjoint.merge(e, d, Expr::add);
    }
}
