package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Numbers expressions so that equal ones, and only those, have the same number, in time proportional to their parts. (The
 * records' own equality walks a shared part as often as it is reached.)
 */
final class ExprNumbers {
    private record Key(Object kind, int a, int b, int c, long bits) {}

    private final Map<Key, Integer> numbers = new HashMap<>();

    List<Integer> of(List<Expr> roots) {
        Map<Expr, Integer> known = new IdentityHashMap<>();
        for (Expr e : Exprs.ordered(roots)) {
            Key key = switch (e) {
                case Expr.Arg(int index) -> new Key("arg", index, -1, -1, 0);
                case Expr.Const(double value) -> new Key("const", -1, -1, -1, Double.doubleToRawLongBits(value));
                case Expr.Unary(Expr.UnaryOp op, Expr x) -> new Key(op, known.get(x), -1, -1, 0);
                case Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) -> new Key(op, known.get(a), known.get(b), -1, 0);
                case Expr.Select(Expr c, Expr a, Expr b) ->
                    new Key("select", known.get(c), known.get(a), known.get(b), 0);
            };
            known.put(e, numbers.computeIfAbsent(key, _ -> numbers.size()));
        }
        return roots.stream().map(known::get).toList();
    }
}
