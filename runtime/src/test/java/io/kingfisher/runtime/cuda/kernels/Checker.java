package io.kingfisher.runtime.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator.Order;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.reference.Interpreter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Plans on the emulator, with threads in three different orders giving the same bits, against plain Java. What is checked is
 * first collected, so that all its sources are compiled together.
 */
final class Checker {
    static final Driver.Properties DEVICE =
            new Driver.Properties("emulated", 9, 0, 4, 1L << 30, 1 << 20, 227 << 10, 13000);

    private record Case(
            String name,
            KernelPlan plan,
            List<View> inputs,
            List<View> outputs,
            double[][] given,
            double[][] expected,
            double tolerance) {}

    private final KernelEmulator emulator;
    private final KernelEngine engine;
    private final List<Case> cases = new ArrayList<>();

    Checker(KernelEmulator emulator) {
        this(emulator, new KernelEngine(DEVICE));
    }

    Checker(KernelEmulator emulator, KernelEngine engine) {
        this.emulator = emulator;
        this.engine = engine;
    }

    KernelEngine engine() {
        return engine;
    }

    static double[] random(Type type, long seed) {
        Random random = new Random(seed);
        double[] numbers = new double[(int) type.shape().elements()];
        for (int i = 0; i < numbers.length; i++) {
            double x = type.dtype().floating() ? random.nextDouble() * 4 - 2 : random.nextInt(100);
            numbers[i] = rounded(type.dtype(), x);
        }
        return numbers;
    }

    /** What a type makes of a number. */
    static double rounded(DType dtype, double x) {
        return switch (dtype.name()) {
            case "F64" -> x;
            case "F32" -> (float) x;
            case "BF16" -> Float.intBitsToFloat(Tensor.toBf16((float) x) << 16);
            case "F16" -> Float.float16ToFloat(Float.floatToFloat16((float) x));
            case "I32" -> (int) x;
            default -> (int) x & 0xff;
        };
    }

    /** An op on random operands in row-major order. */
    void op(Op op, double tolerance, Type... types) {
        List<View> inputs = Arrays.stream(types).map(View::of).toList();
        double[][] given = IntStream.range(0, types.length)
                .mapToObj(i -> random(types[i], i + 1))
                .toArray(double[][]::new);
        op(op, tolerance, inputs, null, given);
    }

    /** An op on given operands, whose elements are in row-major order of their shapes however they lie in memory. */
    void op(Op op, double tolerance, List<View> inputs, List<View> outputs, double[]... given) {
        Graph graph = new Graph();
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            values.add(graph.input(
                    "x" + i, new Type(inputs.get(i).dtype(), inputs.get(i).shape())));
        }
        Node node = graph.add(op, values);
        List<View> results = outputs != null
                ? outputs
                : node.outputs().stream().map(value -> View.of(value.type())).toList();
        double[][] expected = Interpreter.run(node, given);
        add(op.toString(), engine.plan(op, inputs, results), inputs, results, given, expected, tolerance);
    }

    void add(
            String name,
            KernelPlan plan,
            List<View> inputs,
            List<View> outputs,
            double[][] given,
            double[][] expected,
            double tolerance) {
        assertEquals(true, plan != null, "no plan for " + name);
        cases.add(new Case(name + " of " + inputs, plan, inputs, outputs, given, expected, tolerance));
    }

    void run() {
        emulator.prepare(cases.stream()
                .flatMap(one -> one.plan().launches().stream())
                .map(KernelLaunch::code)
                .toList());
        List<Case> all = List.copyOf(cases);
        cases.clear();
        all.forEach(this::run);
    }

    private void run(Case one) {
        byte[][] first = null;
        for (Order order : Order.values()) {
            try (Arena arena = Arena.ofConfined()) {
                List<MemorySegment> operands = new ArrayList<>();
                for (int i = 0; i < one.inputs().size(); i++) {
                    operands.add(memory(arena, one.inputs().get(i), one.given()[i]));
                }
                for (View output : one.outputs()) {
                    operands.add(memory(arena, output, null));
                }
                operands.forEach(memory -> emulator.allocated(memory.address(), memory.byteSize()));
                try {
                    PlanRunner.run(emulator, one.plan(), operands, order);
                } catch (AssertionError e) {
                    throw new AssertionError(one.name() + ", " + order + ": " + e.getMessage(), e);
                }
                operands.forEach(memory -> emulator.freed(memory.address()));
                byte[][] results = operands.stream()
                        .skip(one.inputs().size())
                        .map(memory -> memory.toArray(ValueLayout.JAVA_BYTE))
                        .toArray(byte[][]::new);
                if (first == null) {
                    first = results;
                    for (int r = 0; r < results.length; r++) {
                        compare(one, r, operands.get(one.inputs().size() + r));
                    }
                }
                for (int r = 0; r < results.length; r++) {
                    if (!Arrays.equals(first[r], results[r])) {
                        fail(one.name() + ": result " + r + " depends on the order of threads (" + order + ")");
                    }
                }
            }
        }
    }

    private static void compare(Case one, int r, MemorySegment memory) {
        View view = one.outputs().get(r);
        double[] expected = one.expected()[r];
        long[] places = places(view);
        double largest = 1;
        for (double e : expected) {
            largest = Double.isFinite(e) ? Math.max(largest, Math.abs(e)) : largest;
        }
        // A number may be as far off as its type rounds.
        double rounding = view.dtype().floating() && view.dtype().bytes() == 2 ? 1 / 200.0 : 0;
        for (int i = 0; i < expected.length; i++) {
            double want = rounded(view.dtype(), expected[i]), got = get(view.dtype(), memory, places[i]);
            boolean same = want == got || (Double.isNaN(want) && Double.isNaN(got));
            double allowed = (one.tolerance() + (one.tolerance() == 0 ? 0 : rounding)) * largest;
            if (!same && !(Math.abs(want - got) <= allowed)) {
                fail(one.name() + ": result " + r + " has " + got + " at " + i + " where " + want + " is expected");
            }
        }
    }

    /** Memory as large as a view reaches, the elements where the view has them; 0xff elsewhere and without values. */
    private static MemorySegment memory(Arena arena, View view, double[] values) {
        long[] places = places(view);
        long end = Arrays.stream(places).max().orElse(-1) + 1;
        int bytes = view.dtype().bytes();
        MemorySegment memory = arena.allocate(Math.max(1, end * bytes), 256);
        memory.fill((byte) 0xff);
        for (int i = 0; values != null && i < values.length; i++) {
            set(view.dtype(), memory, places[i], values[i]);
        }
        return memory;
    }

    /** Where a view's elements are, in row-major order of its shape. */
    static long[] places(View view) {
        long[] extents = view.shape().toArray();
        long[] places = new long[(int) view.shape().elements()];
        for (int i = 0; i < places.length; i++) {
            long rest = i;
            places[i] = view.offset();
            for (int axis = extents.length - 1; axis >= 0; axis--) {
                places[i] += rest % extents[axis] * view.strides().get(axis);
                rest /= extents[axis];
            }
        }
        return places;
    }

    static double get(DType dtype, MemorySegment memory, long place) {
        return switch (dtype.name()) {
            case "F64" -> memory.getAtIndex(ValueLayout.JAVA_DOUBLE, place);
            case "F32" -> memory.getAtIndex(ValueLayout.JAVA_FLOAT, place);
            case "BF16" -> Float.intBitsToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, place) << 16);
            case "F16" -> Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, place));
            case "I32" -> memory.getAtIndex(ValueLayout.JAVA_INT, place);
            default -> memory.get(ValueLayout.JAVA_BYTE, place) & 0xff;
        };
    }

    static void set(DType dtype, MemorySegment memory, long place, double value) {
        switch (dtype.name()) {
            case "F64" -> memory.setAtIndex(ValueLayout.JAVA_DOUBLE, place, value);
            case "F32" -> memory.setAtIndex(ValueLayout.JAVA_FLOAT, place, (float) value);
            case "BF16" -> memory.setAtIndex(ValueLayout.JAVA_SHORT, place, Tensor.toBf16((float) value));
            case "F16" -> memory.setAtIndex(ValueLayout.JAVA_SHORT, place, Float.floatToFloat16((float) value));
            case "I32" -> memory.setAtIndex(ValueLayout.JAVA_INT, place, (int) value);
            default -> memory.set(ValueLayout.JAVA_BYTE, place, (byte) (int) value);
        }
    }
}
