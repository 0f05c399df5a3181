package io.kingfisher.runtime.passes;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Rewrites that look at one node and what made its inputs: repeated nodes are made once (every op is a function of its
 * inputs), movement that does nothing goes, constants are computed, broadcasts before elementwise ops are left to them.
 */
final class Simplify extends Rewrite {
    private record Key(Object op, List<Value> inputs) {}

    private final java.util.Map<Key, Node> known = new HashMap<>();
    private final ExprNumbers numbers = new ExprNumbers();

    @Override
    protected List<Value> rewrite(Node node, List<Value> inputs) {
        return switch (node.op()) {
            case Source.Bound(var tensor) -> List.of(target.read(tensor));
            case Detach _ -> inputs;
            case Map map -> map(map, inputs, node.output(0).shape());
            case Movement.Reshape(Shape shape) -> List.of(reshape(inputs.get(0), shape));
            case Movement.Transpose(List<Integer> order) -> List.of(transpose(inputs.get(0), order));
            case Movement.Broadcast(Shape shape) -> List.of(broadcast(inputs.get(0), shape));
            case Reduce(Reduce.Kind _, List<Integer> axes) when axes.isEmpty() -> inputs;
            case Reduce(Reduce.Kind kind, List<Integer> axes)
            when kind == Reduce.Kind.SUM && fill(inputs.get(0)) != null -> {
                Shape in = inputs.get(0).shape();
                double count = axes.stream().mapToLong(in::dim).reduce(1, (a, b) -> a * b);
                yield List.of(
                        fill(fill(inputs.get(0)).value() * count, node.output(0).type()));
            }
            default -> make(node.op(), node.op(), inputs);
        };
    }

    /** A node, unless the same is there already; {@code key} stands for the op. */
    private List<Value> make(Op op, Object key, List<Value> inputs) {
        return known.computeIfAbsent(new Key(key, inputs), _ -> target.add(op, inputs))
                .outputs();
    }

    private Value fill(double value, Type type) {
        Op op = new Source.Fill(type, value);
        return make(op, op, List.of()).get(0);
    }

    private static Source.Fill fill(Value value) {
        return value.node().op() instanceof Source.Fill fill ? fill : null;
    }

    private Value reshape(Value x, Shape shape) {
        if (x.shape().equals(shape)) {
            return x;
        }
        if (fill(x) != null) {
            return fill(fill(x).value(), new Type(x.dtype(), shape));
        }
        if (x.node().op() instanceof Movement.Reshape) {
            return reshape(x.node().input(0), shape);
        }
        Op op = new Movement.Reshape(shape);
        return make(op, op, List.of(x)).get(0);
    }

    private Value transpose(Value x, List<Integer> order) {
        boolean identity = true;
        for (int i = 0; i < order.size(); i++) {
            identity &= order.get(i) == i;
        }
        if (identity) {
            return x;
        }
        if (fill(x) != null) {
            long[] extents =
                    order.stream().mapToLong(axis -> x.shape().dim(axis)).toArray();
            return fill(fill(x).value(), new Type(x.dtype(), Shape.of(extents)));
        }
        if (x.node().op() instanceof Movement.Transpose(List<Integer> inner)) {
            return transpose(x.node().input(0), order.stream().map(inner::get).toList());
        }
        Op op = new Movement.Transpose(order);
        return make(op, op, List.of(x)).get(0);
    }

    private Value broadcast(Value x, Shape shape) {
        if (x.shape().equals(shape)) {
            return x;
        }
        if (fill(x) != null) {
            return fill(fill(x).value(), new Type(x.dtype(), shape));
        }
        if (x.node().op() instanceof Movement.Broadcast) {
            return broadcast(x.node().input(0), shape);
        }
        Op op = new Movement.Broadcast(shape);
        return make(op, op, List.of(x)).get(0);
    }

    /** A map of the operands that it needs, each once, without broadcasts and with constants in the expressions. */
    private List<Value> map(Map map, List<Value> inputs, Shape shape) {
        DType compute = map.computeType(inputs.stream().map(Value::type).toList());
        Expr[] replacements = new Expr[inputs.size()];
        List<Value> kept = new ArrayList<>();
        Value[] operands = new Value[inputs.size()];
        for (int i = 0; i < operands.length; i++) {
            Value x = inputs.get(i);
            Source.Fill fill = fill(x);
            if (fill != null && (fill.type().dtype() == compute || exact(fill))) {
                replacements[i] = Expr.of(compute == DType.F32 ? (float) fill.value() : fill.value());
            } else {
                operands[i] =
                        x.node().op() instanceof Movement.Broadcast ? x.node().input(0) : x;
            }
        }
        if (!shape.equals(common(operands)) || map.computeType(types(operands)) != compute) {
            if (Arrays.stream(operands).allMatch(x -> x == null)) {
                return constants(map, replacements, shape, inputs);
            }
            // Something that is constant or repeated gives the result its shape or type.
            for (int i = 0; i < operands.length; i++) {
                operands[i] = inputs.get(i);
            }
        }
        for (int i = 0; i < operands.length; i++) {
            if (operands[i] != null && replacements[i] == null) {
                int at = kept.indexOf(operands[i]);
                replacements[i] = Expr.arg(at < 0 ? kept.size() : at);
                if (at < 0) {
                    kept.add(operands[i]);
                }
            } else if (operands[i] != null && !kept.contains(operands[i])) {
                kept.add(operands[i]);
            }
        }
        List<Expr> results = Exprs.substitute(map.results(), i -> replacements[i]);
        boolean copy = results.size() == 1
                && results.get(0) instanceof Expr.Arg(int i)
                && kept.get(i).type().equals(new Type(map.dtypes().get(0), shape));
        if (copy) {
            return List.of(kept.get(((Expr.Arg) results.get(0)).index()));
        }
        return make(new Map(results, map.dtypes(), kept.isEmpty() ? shape : null), kept);
    }

    private record Numbered(List<Integer> results, List<DType> dtypes, Shape shape) {}

    private List<Value> make(Map map, List<Value> inputs) {
        return make(map, new Numbered(numbers.of(map.results()), map.dtypes(), map.shape()), inputs);
    }

    /** Whether a constant is the same in every type that computes. */
    private static boolean exact(Source.Fill fill) {
        double value = fill.value();
        return fill.type().dtype() != DType.F64 && value == Math.rint(value) && Math.abs(value) <= 255 && value >= 0;
    }

    private static List<Type> types(Value[] operands) {
        return Arrays.stream(operands).filter(x -> x != null).map(Value::type).toList();
    }

    private static Shape common(Value[] operands) {
        Shape common = null;
        for (Value x : operands) {
            if (x != null) {
                common = common == null ? x.shape() : common.broadcast(x.shape());
            }
        }
        return common;
    }

    private List<Value> constants(Map map, Expr[] values, Shape shape, List<Value> inputs) {
        IntFunction<Expr> value = i -> values[i];
        List<Expr> results = Exprs.substitute(map.results(), value);
        List<Value> made = new ArrayList<>();
        for (int r = 0; r < results.size(); r++) {
            if (!(results.get(r) instanceof Expr.Const(double constant))
                    || !map.dtypes().get(r).floating()) {
                // A part may remain that is not folded, such as a choice between constants.
                return make(map, inputs);
            }
            made.add(fill(constant, new Type(map.dtypes().get(r), shape)));
        }
        return made;
    }
}
