package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/**
 * A recorded computation: nodes in the order of recording, what it reads from the host, what it hands back, and which
 * tensors it changes. Recording computes nothing; a {@link io.kingfisher.runtime.Device} compiles a graph into a
 * {@link io.kingfisher.runtime.Program}.
 *
 * <p>Values are immutable. Tensors change at the end: a replay first computes every assigned value from the tensors as they
 * were before the replay, as if all assignments happened at once. Not thread-safe.
 */
public final class Graph {
    private final List<Node> nodes = new ArrayList<>();
    private final java.util.Map<String, Value> inputs = new LinkedHashMap<>();
    private final java.util.Map<String, Value> outputs = new LinkedHashMap<>();
    private final java.util.Map<Tensor, Value> assignments = new LinkedHashMap<>();
    private final java.util.Map<Tensor, Value> before = new LinkedHashMap<>();
    private final java.util.Map<Tensor, Value> current = new LinkedHashMap<>();
    /** What the names of curvature begin with. */
    static final String CURVATURE = "curvature.";

    private String scope = "";

    /** An empty graph. */
    public Graph() {}

    /** Memory that the host fills before each replay. */
    public Value input(String name, DType dtype, long... extents) {
        return input(name, new Type(dtype, Shape.of(extents)));
    }

    public Value input(String name, Type type) {
        if (inputs.containsKey(name)) {
            throw new KingfisherException("The graph already has an input named '" + name + "'; choose another name.");
        }
        Value value = add(new Source.Input(name, type)).output(0);
        inputs.put(name, value);
        return value;
    }

    /** What a tensor holds: its value before the replay, or what this recording has assigned to it since. */
    public Value read(Tensor tensor) {
        Value known = current.get(tensor);
        return known == null ? before(tensor) : known;
    }

    /** What a tensor holds before the replay, whatever this recording has assigned to it since. */
    public Value before(Tensor tensor) {
        return before.computeIfAbsent(tensor, t -> add(new Source.Bound(t)).output(0));
    }

    /** Lets the replay end with {@code tensor} holding {@code value}. The last assignment to a tensor counts. */
    public void assign(Tensor tensor, Value value) {
        check(value);
        if (tensor.dtype() != value.dtype() || !tensor.shape().equals(value.shape())) {
            throw new KingfisherException("Cannot assign " + value.type() + " to a tensor of " + tensor.dtype()
                    + tensor.shape() + "; cast or reshape it first.");
        }
        current.put(tensor, value);
        assignments.put(tensor, value);
    }

    /**
     * As {@link #assign}, with a value of another shape that has as many elements: they are taken in row-major order. What is
     * computed under another shape than its tensor's then needs no reshaping at the end.
     */
    public void assignElements(Tensor tensor, Value value) {
        check(value);
        assign(tensor, value.reshape(tensor.shape()));
        assignments.put(tensor, value);
    }

    /** Lets the host read a value after each replay. */
    public void output(String name, Value value) {
        check(value);
        if (outputs.putIfAbsent(name, value) != null) {
            throw new KingfisherException("The graph already has an output named '" + name + "'; choose another name.");
        }
    }

    public Value fill(double value, DType dtype, Shape shape) {
        return add(new Source.Fill(new Type(dtype, shape), value)).output(0);
    }

    public Value zeros(DType dtype, Shape shape) {
        return fill(0, dtype, shape);
    }

    public Value ones(DType dtype, Shape shape) {
        return fill(1, dtype, shape);
    }

    public Value scalar(double value) {
        return fill(value, DType.F32, Shape.SCALAR);
    }

    public Value constant(DType dtype, Shape shape, double... values) {
        return add(new Source.Constant(new Type(dtype, shape), values)).output(0);
    }

    /** The numbers 0 to n - 1. */
    public Value iota(DType dtype, int n) {
        return constant(
                dtype, Shape.of(n), DoubleStream.iterate(0, x -> x + 1).limit(n).toArray());
    }

    /** An elementwise expression of values that broadcast together, in the type in which they compute. */
    public Value map(Expr expr, Value... arguments) {
        return map(expr, computeType(List.of(arguments)), List.of(arguments));
    }

    public Value map(Expr expr, DType dtype, List<Value> arguments) {
        return map(List.of(expr), List.of(dtype), arguments).get(0);
    }

    /**
     * Several expressions of the same values in one pass. Arguments that no expression reads are dropped and equal ones
     * merged; they still take part in the broadcast shape only where they are read.
     */
    public List<Value> map(List<Expr> exprs, List<DType> dtypes, List<Value> arguments) {
        if (exprs.isEmpty() || exprs.size() != dtypes.size()) {
            throw Map.noTypes(exprs.size(), dtypes.size());
        }
        BitSet read = Exprs.arguments(exprs);
        if (read.length() > arguments.size()) {
            throw Expr.noArgument(read.length() - 1, arguments.size());
        }
        List<Value> kept = new ArrayList<>();
        int[] index = new int[arguments.size()];
        for (int i = read.nextSetBit(0); i >= 0; i = read.nextSetBit(i + 1)) {
            int known = kept.indexOf(arguments.get(i));
            index[i] = known >= 0 ? known : kept.size();
            if (known < 0) {
                kept.add(arguments.get(i));
            }
        }
        if (exprs.size() == 1
                && exprs.get(0) instanceof Expr.Arg(int i)
                && arguments.get(i).dtype() == dtypes.get(0)) {
            return List.of(arguments.get(i));
        }
        if (kept.isEmpty() && exprs.size() == 1) {
            double value = Exprs.evaluate(exprs)[0];
            return List.of(fill(value, dtypes.get(0), Shape.SCALAR));
        }
        List<Expr> results = Exprs.substitute(exprs, i -> Expr.arg(index[i]));
        return add(new Map(results, dtypes, kept.isEmpty() ? Shape.SCALAR : null), kept)
                .outputs();
    }

    static DType computeType(List<Value> values) {
        return values.stream().anyMatch(v -> v.dtype() == DType.F64) ? DType.F64 : DType.F32;
    }

    /** Values joined along an axis; all other extents are equal. */
    public Value concat(int axis, List<Value> values) {
        if (values.size() == 1) {
            return values.get(0);
        }
        int from = values.isEmpty() ? 0 : values.get(0).shape().axis(axis);
        return add(new Movement.Concat(from), values).output(0);
    }

    /** The sum of values of one shape, in one pass. */
    public Value sum(List<Value> values) {
        Expr total = Expr.arg(0);
        for (int i = 1; i < values.size(); i++) {
            total = total.add(Expr.arg(i));
        }
        return values.size() == 1 ? values.get(0) : map(total, values.get(0).dtype(), values);
    }

    /**
     * Random numbers as a function of the state alone (Philox 4x32-10), whatever the device and its threads.
     *
     * @param state I32[4]: the two halves of the seed, then the two halves of the step
     * @param stream keeps draws of one step apart
     */
    public Value random(Random.Distribution distribution, Value state, int stream, Shape shape) {
        return add(new Random(distribution, stream, shape), state).output(0);
    }

    public Node add(Op op, Value... operands) {
        return add(op, List.of(operands));
    }

    public Node add(Op op, List<Value> operands) {
        operands.forEach(this::check);
        Node node;
        try {
            node = new Node(this, nodes.size(), op, operands, scope);
        } catch (KingfisherException e) {
            throw scope.isEmpty() ? e : new KingfisherException("In " + scope + ": " + e.getMessage(), e);
        }
        nodes.add(node);
        return node;
    }

    private void check(Value value) {
        if (value.node().graph() != this) {
            throw new KingfisherException("The value " + value + " belongs to another graph; record it in this one.");
        }
    }

    /** Names what is recorded until the scope is closed after a layer's path, for error messages and profiles. */
    public Scope scope(String path) {
        String outer = scope;
        scope = path;
        return () -> scope = outer;
    }

    /**
     * Names what is recorded as {@link #scope} does, as an optimizer's curvature of the layer with this path: no device rounds
     * factors of F32 products in it, whatever it may do with others.
     */
    public Scope curvature(String path) {
        return scope(CURVATURE + path);
    }

    /** Ends with {@link #close()} the naming that {@link #scope} began. */
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    public List<Node> nodes() {
        return Collections.unmodifiableList(nodes);
    }

    public java.util.Map<String, Value> inputs() {
        return Collections.unmodifiableMap(inputs);
    }

    public java.util.Map<String, Value> outputs() {
        return Collections.unmodifiableMap(outputs);
    }

    /** The value that each changed tensor ends with, in the order of first assignment. */
    public java.util.Map<Tensor, Value> assignments() {
        return Collections.unmodifiableMap(assignments);
    }

    /** The graph as text, a node a line. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        nodes.forEach(node -> text.append(node).append('\n'));
        outputs.forEach((name, value) ->
                text.append("output ").append(name).append(" = ").append(value).append('\n'));
        assignments.forEach((tensor, value) -> text.append("assign ")
                .append(tensor)
                .append(" = ")
                .append(value)
                .append('\n'));
        return text.toString();
    }

    static List<Long> list(long... values) {
        return LongStream.of(values).boxed().toList();
    }

    static List<Integer> list(int... values) {
        return Arrays.stream(values).boxed().toList();
    }
}
