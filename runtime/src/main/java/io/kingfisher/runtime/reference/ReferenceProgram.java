package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Runs the nodes that outputs and assignments need, in the order of recording, each value an array of doubles. */
final class ReferenceProgram implements Program {
    private final ReferenceDevice device;
    private final boolean rounding;
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> inputs = new LinkedHashMap<>();
    private final Map<String, Tensor> outputs = new LinkedHashMap<>();
    private final Map<String, Value> outputValues;
    private final Map<Tensor, Value> assignments;
    private final List<Step> steps = new ArrayList<>();
    private final long peak;
    private boolean closed;

    /** A node and the values that nothing needs after it. */
    private record Step(Node node, List<Value> last) {}

    ReferenceProgram(ReferenceDevice device, Graph graph, boolean rounding) {
        this.device = device;
        this.rounding = rounding;
        this.outputValues = new LinkedHashMap<>(graph.outputs());
        this.assignments = new LinkedHashMap<>(graph.assignments());
        graph.inputs().forEach((name, value) -> inputs.put(name, memory(value.type())));
        outputValues.forEach((name, value) -> outputs.put(name, memory(value.type())));
        this.peak = plan(graph);
    }

    private Tensor memory(Type type) {
        long bytes = type.bytes();
        return device.viewOf(
                type.dtype(),
                type.shape(),
                arena.allocate(Math.max(bytes, 1), 64).asSlice(0, bytes));
    }

    /** Finds the steps and where each value dies; the most bytes that are alive at once. */
    private long plan(Graph graph) {
        Set<Value> kept = new HashSet<>(outputValues.values());
        kept.addAll(assignments.values());
        Set<Value> needed = new HashSet<>(kept);
        List<Node> nodes = graph.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            if (node.outputs().stream().noneMatch(needed::contains)) {
                continue;
            }
            List<Value> last = new ArrayList<>();
            for (Value value : node.inputs()) {
                if (needed.add(value)) {
                    last.add(value);
                }
            }
            for (Value value : node.outputs()) {
                if (value.shape().elements() > Integer.MAX_VALUE - 8) {
                    throw new KingfisherException("The reference device holds at most 2^31 elements in a value, not "
                            + value.type() + " of " + node + "; use another device.");
                }
                if (!needed.contains(value)) {
                    last.add(value);
                }
            }
            steps.addFirst(new Step(node, last));
        }
        long live = 0, most = 0;
        for (Step step : steps) {
            live += step.node.outputs().stream()
                    .mapToLong(ReferenceProgram::bytes)
                    .sum();
            most = Math.max(most, live);
            live -= step.last.stream().mapToLong(ReferenceProgram::bytes).sum();
        }
        return most;
    }

    private static long bytes(Value value) {
        return value.shape().elements() * Double.BYTES;
    }

    @Override
    public Tensor input(String name) {
        return named(inputs, "input", name);
    }

    @Override
    public Tensor output(String name) {
        return named(outputs, "output", name);
    }

    private Tensor named(Map<String, Tensor> tensors, String kind, String name) {
        check();
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new KingfisherException(
                    "The program has no " + kind + " named '" + name + "'; it has " + tensors.keySet() + ".");
        }
        return tensor;
    }

    private void check() {
        if (closed) {
            throw new KingfisherException("The program is closed; compile the graph again.");
        }
    }

    @Override
    public void replay() {
        check();
        assignments.keySet().forEach(Tensor::address);
        Map<Value, double[]> values = new HashMap<>();
        for (Step step : steps) {
            Node node = step.node;
            double[][] results = node.op() instanceof Source source
                    ? new double[][] {read(source)}
                    : Interpreter.run(
                            node, node.inputs().stream().map(values::get).toArray(double[][]::new));
            for (Value output : node.outputs()) {
                double[] result = results[output.index()];
                convert(result, output.dtype());
                values.put(output, result);
            }
            step.last.forEach(values::remove);
        }
        outputs.forEach((name, tensor) -> write(values.get(outputValues.get(name)), tensor));
        assignments.forEach((tensor, value) -> write(values.get(value), tensor));
    }

    private double[] read(Source source) {
        return switch (source) {
            case Source.Input(String name, Type _) -> inputs.get(name).doubles();
            case Source.Bound(Tensor tensor) -> tensor.doubles();
            case Source.Fill(Type type, double value) -> {
                double[] result = new double[Math.toIntExact(type.shape().elements())];
                java.util.Arrays.fill(result, value);
                yield result;
            }
            case Source.Constant constant -> constant.values().clone();
        };
    }

    /** What storing as a type and loading again makes of numbers; F32 ones stay as they are unless all are rounded. */
    private void convert(double[] values, DType dtype) {
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (dtype) {
                case F64 -> rounding ? rounded(values[i]) : values[i];
                case F32 -> rounding ? (float) values[i] : values[i];
                case BF16 -> Float.intBitsToFloat(Tensor.toBf16((float) values[i]) << 16);
                case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) values[i]));
                case I32 -> (int) values[i];
                case U8 -> (int) values[i] & 0xff;
            };
        }
    }

    /** A double with 43 bits kept, so that what cancels in double precision shows in the rounding reference as well. */
    private static double rounded(double value) {
        return Double.isFinite(value)
                ? Double.longBitsToDouble((Double.doubleToRawLongBits(value) + 0x200) & -0x400)
                : value;
    }

    private static void write(double[] values, Tensor tensor) {
        tensor.write(values);
    }

    @Override
    public long arenaBytes() {
        return peak;
    }

    @Override
    public int nativeCalls() {
        return 0;
    }

    @Override
    public String describe() {
        return steps.stream().map(step -> step.node.toString()).collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            inputs.values().forEach(Tensor::close);
            outputs.values().forEach(Tensor::close);
            arena.close();
            device.closed(this);
        }
    }
}
