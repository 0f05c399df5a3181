package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** What elementwise expressions cost, in additions, and how large they may grow. */
final class Costs {
    /** About what one loop's vector code can hold without spilling too much or outgrowing the compiler. */
    static final int MOST = 160;

    static final int MOST_OPERANDS = 20;

    /** Cheaper to compute again than to store and load. */
    static final int CHEAP = 4;

    private Costs() {}

    static int of(List<Expr> roots) {
        int cost = 0;
        for (Expr e : Exprs.ordered(roots)) {
            cost += switch (e) {
                case Expr.Arg _, Expr.Const _ -> 0;
                case Expr.Unary(UnaryOp op, Expr _) ->
                    switch (op) {
                        case NEG, ABS -> 1;
                        case SIGN, IS_FINITE -> 3;
                        case SQRT -> 5;
                        case FLOOR -> 8;
                        case EXP, LOG, TANH, SIGMOID, SOFTPLUS -> 25;
                        case ERF -> 45;
                        case SIN, COS -> 100;
                    };
                case Expr.Binary(BinaryOp op, Expr _, Expr _) -> op == BinaryOp.DIV ? 5 : op == BinaryOp.POW ? 30 : 1;
                case Expr.Select _ -> 1;
            };
        }
        return cost;
    }

    /** Whether an expression has functions for which there is no vector code. */
    static boolean scalar(List<Expr> roots) {
        return Exprs.ordered(roots).stream().anyMatch(e -> switch (e) {
            case Expr.Unary(UnaryOp op, Expr _) -> op == UnaryOp.SIN || op == UnaryOp.COS;
            case Expr.Binary(BinaryOp op, Expr _, Expr _) -> op == BinaryOp.POW;
            default -> false;
        });
    }

    /** The type that a map computes in. */
    static DType compute(Node map) {
        return ((Map) map.op())
                .computeType(map.inputs().stream().map(Value::type).toList());
    }

    /** Whether a map's value is what it computed, not converted. */
    static boolean unconverted(Value value) {
        return value.dtype() == compute(value.node());
    }
}
