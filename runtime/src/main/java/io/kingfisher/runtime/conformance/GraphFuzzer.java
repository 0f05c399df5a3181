package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * Random programs of small shapes, to look for mistakes in how a device fuses, orders, places and shares: a seed always makes
 * the same program. Values stay of the order of 1, so that errors of rounding stay small, and nothing jumps.
 */
public final class GraphFuzzer {
    /** Values are of the order of 1: an output that is nearly 0 is what is left of them, with their errors. */
    static final Tolerance TOLERANCE = Tolerance.SUM.times(4).floor(0.01);

    private static final long[] EXTENTS = {1, 2, 3, 5, 8};

    private final Recording r;
    private final Graph g;
    private final DType dtype;
    private final SplittableRandom random;
    private final List<Value> values = new ArrayList<>();

    private GraphFuzzer(Recording r, DType dtype, long seed) {
        this.r = r;
        this.g = r.graph;
        this.dtype = dtype;
        this.random = new SplittableRandom(seed);
    }

    /** The program of a seed as a check, three replays long. */
    public static Case program(DType dtype, long seed) {
        return Case.of("random program " + seed + " " + dtype, r -> new GraphFuzzer(r, dtype, seed).record(), TOLERANCE)
                .replayed(3)
                .conditioned();
    }

    /** Runs the programs of {@code count} seeds from {@code seed} on in F32 and F64; true where all passed. */
    public static boolean run(Device device, long seed, int count, Consumer<Result> results) {
        boolean passed = true;
        for (long s = seed; s < seed + count; s++) {
            for (DType dtype : List.of(DType.F32, DType.F64)) {
                Result result = program(dtype, s).run(device);
                passed &= result.passed();
                results.accept(result);
            }
        }
        return passed;
    }

    private void record() {
        Map<Tensor, Value> state = new LinkedHashMap<>();
        for (int i = 0; i < 2 + random.nextInt(2); i++) {
            Operand start = Operand.random(random, dtype, shape());
            Tensor tensor = r.tensor("t" + i, dtype, start.shape(), start.values());
            state.put(tensor, g.read(tensor));
            values.add(g.read(tensor));
        }
        for (int i = 0; i < 2; i++) {
            Shape shape = Shape.of(shape());
            double[][] replays = new double[3][];
            for (int k = 0; k < replays.length; k++) {
                replays[k] = Operand.random(random, dtype, shape.toArray()).values();
            }
            values.add(r.input("x" + i, dtype, shape, replays));
        }
        if (random.nextBoolean()) {
            Operand image = Operand.random(random, dtype, 2, 1 + random.nextInt(9), 5, 6);
            values.add(r.input("image", image));
        }
        int ops = 5 + random.nextInt(25);
        for (int i = 0; i < ops; i++) {
            values.add(op());
        }
        if (random.nextInt(3) > 0) {
            differentiate(List.copyOf(state.values()));
        }
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            g.output("y" + i, any());
        }
        g.output("last", values.get(values.size() - 1));
        for (Tensor tensor : state.keySet()) {
            if (random.nextInt(4) > 0) {
                g.assign(tensor, fit(any(), tensor.shape()));
            }
        }
    }

    /** Gradients of some of what there is take part in what follows. */
    private void differentiate(List<Value> parameters) {
        Value loss = any().square().mean();
        for (int i = 0; i < 2; i++) {
            loss = loss.add(any().tanh().mean());
        }
        for (Value gradient : Autodiff.gradients(loss, parameters)) {
            values.add(bounded(gradient));
        }
        for (int i = 0; i < 4; i++) {
            values.add(op());
        }
    }

    private Value op() {
        Value x = any();
        if (x.rank() == 4 && random.nextBoolean()) {
            return image(x);
        }
        return switch (random.nextInt(17)) {
            case 16 -> normalised(x);
            case 0, 1, 2 -> smooth(x);
            case 3, 4, 5 -> combined(x);
            case 6 -> x.relu();
            case 7 -> reduced(x);
            case 8 -> x.rank() == 0 ? x.neg() : moved(x);
            case 9 -> x.rank() == 0 ? x.add(0.5) : sliced(x);
            case 10 -> joined(x);
            case 11, 12 -> product(x);
            case 13 -> x.rank() == 0 ? x.tanh() : x.softmax();
            case 14 -> several(x);
            default -> x.reshape(Shape.of(x.shape().elements())).reshape(x.shape());
        };
    }

    private Value smooth(Value x) {
        return switch (random.nextInt(8)) {
            case 0 -> x.tanh();
            case 1 -> x.sigmoid();
            case 2 -> x.map(Expr.unary(Expr.UnaryOp.SIN, Expr.arg(0)));
            case 3 -> x.square().add(1).sqrt().mul(0.5);
            case 4 -> x.abs().neg().exp();
            case 5 -> x.square().add(1).log();
            case 6 -> x.mul(random.nextDouble(-1, 1)).add(0.25);
            default -> x.neg();
        };
    }

    private Value combined(Value x) {
        Value y = partner(x);
        return switch (random.nextInt(6)) {
            case 0 -> x.add(y).mul(0.5);
            case 1 -> x.sub(y).mul(0.5);
            case 2 -> bounded(x.mul(y));
            case 3 -> x.max(y);
            case 4 -> x.lessThan(y).select(x, y);
            default -> x.div(y.square().add(1));
        };
    }

    /** What networks do with images, for which devices keep layouts of their own. */
    private Value image(Value x) {
        boolean wide = x.dim(2) > 2 && x.dim(3) > 2;
        return switch (random.nextInt(wide ? 6 : 2)) {
            case 0 -> conv(x, 1, 0);
            case 1 -> {
                Value scale = g.constant(dtype, Shape.of(x.dim(1)), numbers(x.dim(1)));
                yield bounded(
                        g.add(new BatchNorm(0.1), x, scale, scale.mul(0.5)).output(0));
            }
            case 2 -> g.add(new Pool.MaxPool2d(Pool.Window.of(2, 1, 0)), x).output(0);
            case 3 -> g.add(new Pool.AvgPool2d(Pool.Window.of(3, 2, 1)), x).output(0);
            default -> conv(x, 3, random.nextInt(2));
        };
    }

    private Value conv(Value x, int kernel, int padding) {
        long outs = 1 + random.nextInt(17);
        Operand w = Operand.random(random, dtype, outs, x.dim(1), kernel, kernel);
        int stride = 1 + random.nextInt(2);
        var op = new Conv2d(Convolution.of(stride, padding, 1, 1));
        Value y = g.add(op, x, g.constant(dtype, w.shape(), w.values())).output(0);
        if (random.nextBoolean()) {
            y = y.add(g.constant(dtype, Shape.of(outs, 1, 1), numbers(outs)));
        }
        return random.nextBoolean() ? y.mul(0.25).relu() : bounded(y);
    }

    private Value normalised(Value x) {
        if (x.rank() == 0) {
            return x.sigmoid();
        }
        Value scale = g.constant(dtype, Shape.of(x.dim(-1)), numbers(x.dim(-1)));
        return bounded(g.add(new LayerNorm(0.1), x, scale, scale).output(0));
    }

    private double[] numbers(long count) {
        return Operand.random(random, dtype, count).values();
    }

    /** A map with two results, of which one or both are read. */
    private Value several(Value x) {
        Value y = partner(x);
        Expr a = Expr.arg(0), b = Expr.arg(1), shared = a.mul(b).tanh();
        List<Value> both = g.map(List.of(shared.add(a).mul(0.5), shared.mul(b)), List.of(dtype, dtype), List.of(x, y));
        values.add(bounded(both.get(0)));
        return bounded(both.get(random.nextInt(2)));
    }

    private Value reduced(Value x) {
        Reduce.Kind kind = Reduce.Kind.values()[random.nextInt(3)];
        int[] axes =
                random.ints(0, Math.max(1, x.rank())).limit(random.nextInt(3)).toArray();
        boolean keep = random.nextBoolean();
        if (x.rank() == 0) {
            return bounded(x);
        }
        // Where rounding makes or breaks a tie the gradient of an extremum jumps, and many values here are close.
        Value from = kind == Reduce.Kind.SUM ? x : x.detach();
        return bounded(from.reduce(kind, keep, axes));
    }

    private Value moved(Value x) {
        int[] order = new int[x.rank()];
        int shift = random.nextInt(x.rank());
        for (int i = 0; i < order.length; i++) {
            order[i] = (i + shift) % order.length;
        }
        return x.transpose(order);
    }

    private Value sliced(Value x) {
        int axis = random.nextInt(x.rank());
        long extent = x.dim(axis), from = random.nextLong(extent), to = from + 1 + random.nextLong(extent - from);
        return x.slice(axis, from, to);
    }

    private Value joined(Value x) {
        if (x.rank() == 0 || x.shape().elements() > 200) {
            return x.mul(0.5);
        }
        int axis = random.nextInt(x.rank());
        return g.concat(axis, List.of(x, smooth(x), x));
    }

    private Value product(Value x) {
        if (x.rank() < 2) {
            return x.tanh();
        }
        if (random.nextBoolean()) {
            return bounded(x.matmul(x, false, true));
        }
        Operand w = Operand.random(random, dtype, x.dim(-1), EXTENTS[random.nextInt(EXTENTS.length)]);
        return bounded(x.matmul(g.constant(dtype, w.shape(), w.values())));
    }

    /** A value that broadcasts with another: itself, part of it, a scalar, or another one brought to its shape. */
    private Value partner(Value x) {
        return switch (random.nextInt(5)) {
            case 0 -> x;
            case 1 -> x.rank() == 0 ? x : bounded(x.reduce(Reduce.Kind.SUM, true, random.nextInt(x.rank())));
            case 2 -> g.fill(random.nextDouble(-1, 1), dtype, Shape.SCALAR);
            case 3 -> any().mean();
            default -> fit(any(), x.shape());
        };
    }

    /** The value where it has or broadcasts to the shape, otherwise its mean spread over the shape. */
    private Value fit(Value x, Shape shape) {
        if (x.shape().elements() == shape.elements()) {
            return x.reshape(shape);
        }
        return x.mean().broadcastTo(shape);
    }

    private Value bounded(Value x) {
        return x.map(Expr.arg(0).mul(0.5).tanh());
    }

    private Value any() {
        // Prefers what is new, so that chains grow.
        int n = values.size();
        return values.get(n - 1 - Math.min(random.nextInt(n), random.nextInt(n)));
    }

    private long[] shape() {
        long[] shape = new long[random.nextInt(4)];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = EXTENTS[random.nextInt(EXTENTS.length)];
        }
        return shape;
    }
}
