package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A result in a graph: its type is known, its numbers only when a program runs. The methods record further operations on
 * it; elementwise ones broadcast their operands as NumPy does.
 */
public final class Value {
    private static final Expr X = Expr.arg(0);
    private static final Expr Y = Expr.arg(1);

    private final Node node;
    private final int index;
    private final Type type;

    Value(Node node, int index, Type type) {
        this.node = node;
        this.index = index;
        this.type = type;
    }

    public Node node() {
        return node;
    }

    /** Which of its node's outputs this is. */
    public int index() {
        return index;
    }

    public Type type() {
        return type;
    }

    public DType dtype() {
        return type.dtype();
    }

    public Shape shape() {
        return type.shape();
    }

    public long dim(int axis) {
        return shape().dim(axis);
    }

    public int rank() {
        return shape().rank();
    }

    public Graph graph() {
        return node.graph();
    }

    // Elementwise

    public Value map(Expr expr) {
        return graph().map(expr, this);
    }

    private Value map(Expr expr, Value other) {
        return graph().map(expr, this, other);
    }

    public Value add(Value other) {
        return map(X.add(Y), other);
    }

    public Value add(double other) {
        return map(X.add(other));
    }

    public Value sub(Value other) {
        return map(X.sub(Y), other);
    }

    public Value sub(double other) {
        return map(X.sub(other));
    }

    public Value mul(Value other) {
        return map(X.mul(Y), other);
    }

    public Value mul(double other) {
        return map(X.mul(other));
    }

    public Value div(Value other) {
        return map(X.div(Y), other);
    }

    public Value div(double other) {
        return map(X.div(other));
    }

    public Value max(Value other) {
        return map(X.max(Y), other);
    }

    public Value min(Value other) {
        return map(X.min(Y), other);
    }

    public Value pow(double exponent) {
        return map(X.pow(exponent));
    }

    /** 1 where this is smaller than the other, else 0. */
    public Value lessThan(Value other) {
        return map(X.lessThan(Y), other);
    }

    /** 1 where both are equal, else 0. */
    public Value equalTo(Value other) {
        return map(X.equalTo(Y), other);
    }

    /** {@code a} where this is not 0, else {@code b}. */
    public Value select(Value a, Value b) {
        return graph().map(Expr.select(X, Y, Expr.arg(2)), this, a, b);
    }

    public Value neg() {
        return map(X.neg());
    }

    public Value abs() {
        return map(X.abs());
    }

    public Value square() {
        return map(X.square());
    }

    public Value sqrt() {
        return map(X.sqrt());
    }

    public Value exp() {
        return map(X.exp());
    }

    public Value log() {
        return map(X.log());
    }

    public Value tanh() {
        return map(X.tanh());
    }

    public Value sigmoid() {
        return map(X.sigmoid());
    }

    public Value relu() {
        // Written so that the gradient at 0 is 0, as everywhere else, and that NaN stays NaN.
        return map(Expr.select(X.lessOrEqual(Expr.of(0)), Expr.of(0), X));
    }

    /** The same numbers in another type; to integers by truncation. */
    public Value cast(DType dtype) {
        return graph().map(X, dtype, List.of(this));
    }

    /** The same numbers, through which no gradient flows. */
    public Value detach() {
        return graph().add(new Detach(), this).output(0);
    }

    // Reductions

    /** The sum over axes, which vanish; over all axes where none is given. */
    public Value sum(int... axes) {
        return reduce(Reduce.Kind.SUM, false, axes);
    }

    public Value mean(int... axes) {
        return sum(axes).mul(1.0 / reduced(axes));
    }

    public Value max(int... axes) {
        return reduce(Reduce.Kind.MAX, false, axes);
    }

    /** Reduces over axes (all where none is given), which vanish or stay with extent 1. */
    public Value reduce(Reduce.Kind kind, boolean keepDims, int... axes) {
        List<Integer> sorted = axes(axes);
        if (sorted.isEmpty()) {
            return this;
        }
        Value result = graph().add(new Reduce(kind, sorted), this).output(0);
        if (!keepDims) {
            return result;
        }
        Shape kept = shape();
        for (int axis : sorted) {
            kept = kept.with(axis, 1);
        }
        return result.reshape(kept);
    }

    /** The number of elements over which a reduction over these axes goes. */
    public long reduced(int... axes) {
        return axes(axes).stream().mapToLong(this::dim).reduce(1, (a, b) -> a * b);
    }

    private List<Integer> axes(int... axes) {
        IntStream all = axes.length == 0
                ? IntStream.range(0, rank())
                : IntStream.of(axes).map(shape()::axis).distinct().sorted();
        return all.boxed().toList();
    }

    /** Sums over the axes along which {@code target} stretches to this shape. */
    public Value sumTo(Shape target) {
        if (shape().equals(target)) {
            return this;
        }
        int lead = rank() - target.rank();
        List<Integer> summed = new ArrayList<>();
        for (int i = 0; i < rank(); i++) {
            if (i < lead || (target.dim(i - lead) == 1 && dim(i) != 1)) {
                summed.add(i);
            }
        }
        int[] axes = summed.stream().mapToInt(i -> i).toArray();
        return (axes.length == 0 ? this : sum(axes)).reshape(target);
    }

    // Movement

    /** The same elements in row-major order under another shape. */
    public Value reshape(Shape shape) {
        return shape.equals(shape())
                ? this
                : graph().add(new Movement.Reshape(shape), this).output(0);
    }

    /** {@link #reshape(Shape)} where one extent may be -1: whatever is left. */
    public Value reshape(long... extents) {
        long[] full = extents.clone();
        long known = 1;
        int open = -1;
        for (int i = 0; i < full.length; i++) {
            if (full[i] == -1 && open < 0) {
                open = i;
            } else {
                known *= full[i];
            }
        }
        if (open >= 0) {
            if (known <= 0 || shape().elements() % known != 0) {
                throw new KingfisherException(
                        "The shape " + shape() + " cannot be reshaped to " + java.util.Arrays.toString(extents) + ".");
            }
            full[open] = shape().elements() / known;
        }
        return reshape(Shape.of(full));
    }

    /** Axis i of the result is axis {@code order[i]} of this. */
    public Value transpose(int... order) {
        List<Integer> axes = IntStream.of(order).map(shape()::axis).boxed().toList();
        boolean identity = IntStream.range(0, order.length).allMatch(i -> axes.get(i) == i);
        return identity && order.length == rank()
                ? this
                : graph().add(new Movement.Transpose(axes), this).output(0);
    }

    /** The last two axes exchanged. */
    public Value t() {
        if (rank() < 2) {
            throw new KingfisherException("Only a value with two axes can be transposed, not " + type + ".");
        }
        int[] order = IntStream.range(0, rank()).toArray();
        order[rank() - 1] = rank() - 2;
        order[rank() - 2] = rank() - 1;
        return transpose(order);
    }

    /** Repeated along missing axes and axes of extent 1. */
    public Value broadcastTo(Shape target) {
        return shape().equals(target)
                ? this
                : graph().add(new Movement.Broadcast(target), this).output(0);
    }

    /** The elements {@code from} (included) to {@code to} (excluded) along an axis. */
    public Value slice(int axis, long from, long to) {
        long[] starts = new long[rank()], sizes = shape().toArray();
        starts[shape().axis(axis)] = from;
        sizes[shape().axis(axis)] = to - from;
        return from == 0 && to == dim(axis)
                ? this
                : graph().add(new Movement.Slice(Graph.list(starts), Graph.list(sizes)), this)
                        .output(0);
    }

    // Linear algebra

    /** The matrix product of the last two axes; leading axes are batches and broadcast. */
    public Value matmul(Value other) {
        return matmul(other, false, false);
    }

    public Value matmul(Value other, boolean transposeThis, boolean transposeOther) {
        return graph().add(new MatMul(transposeThis, transposeOther), this, other)
                .output(0);
    }

    /** Softmax over the last axis. */
    public Value softmax() {
        return graph().add(new Softmax(), this).output(0);
    }

    /** Rows of this table: I32 indices of any shape, results of that shape followed by a row's. */
    public Value gather(Value indices) {
        return graph().add(new Gather(), this, indices).output(0);
    }

    @Override
    public String toString() {
        return "%" + node.id() + (node.outputs() != null && node.outputs().size() > 1 ? "." + index : "") + ":" + type;
    }
}
