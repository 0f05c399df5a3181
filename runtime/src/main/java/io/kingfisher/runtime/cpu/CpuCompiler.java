package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.NativeBlock;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.passes.Passes;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Epilogues;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.Legal;
import io.kingfisher.runtime.plan.MemoryPlan;
import io.kingfisher.runtime.plan.Results;
import io.kingfisher.runtime.plan.Traffic;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** From a graph to a program: lowers every node that is needed, places all memory in one block, binds the steps. */
final class CpuCompiler {
    private final CpuDevice device;
    private final Graph graph;
    private final Fusion fusion;
    private final List<Node> nodes;
    private final Epilogues epilogues;
    private final Set<Node> lowered = new HashSet<>();
    private final Resources resources = new Resources();
    private final Assembly assembly;
    private final Lowering lowering;
    private final Map<String, Buffer> inputs = new LinkedHashMap<>();
    private final Map<String, Buffer> outputs = new LinkedHashMap<>();
    private final Map<Tensor, Buffer> tensors = new LinkedHashMap<>();
    private final Map<Buffer, Source> constants = new LinkedHashMap<>();

    CpuCompiler(CpuDevice device, Graph graph) {
        this.device = device;
        this.graph = Passes.optimize(Legal.of(graph, new CpuRules()));
        this.fusion = Fusion.of(this.graph);
        this.nodes = Passes.needed(this.graph);
        this.epilogues = new Epilogues(nodes, this.graph, node -> node.output(0).dtype() == DType.F32);
        this.assembly = new Assembly(device.onednn(), resources);
        Set<Value> results = Passes.results(this.graph);
        this.lowering = new Lowering(assembly, device, nodes, epilogues, fusion, results);
    }

    CpuProgram compile() {
        try {
            return build();
        } catch (RuntimeException | Error e) {
            resources.close();
            throw e;
        }
    }

    private CpuProgram build() {
        graph.inputs().forEach((name, value) -> {
            Buffer buffer = Buffer.pinned(value.type().bytes());
            inputs.put(name, buffer);
            assembly.put(value, new Assembly.Stored(buffer, Layout.PLAIN));
        });
        lowered.addAll(fusion.last());
        nodes.forEach(this::lower);
        lowering.last(fusion.last());
        new Results(graph, assembly, tensors, outputs).settle();
        return place();
    }

    private void lower(Node node) {
        if (fusion.absorbed(node) || !lowered.add(node)) {
            return;
        }
        Value bias = epilogues.bias(node.output(0));
        if (bias != null) {
            source(bias.node());
        }
        switch (node.op()) {
            case Source.Input _ -> {}
            case Source.Bound(Tensor tensor) ->
                assembly.put(
                        node.output(0), new Assembly.Stored(tensors.computeIfAbsent(tensor, Buffer::of), Layout.PLAIN));
            case Source source -> {
                Buffer buffer = Buffer.pinned(source.type().bytes());
                constants.put(buffer, source);
                assembly.put(node.output(0), new Assembly.Stored(buffer, Layout.PLAIN));
            }
            default -> {
                try {
                    assembly.begin(node);
                    lowering.lower(node);
                } catch (NativeException e) {
                    throw new KingfisherException(
                            "Cannot compile " + node + " for " + device.name() + ": " + e.getMessage() + ".", e);
                }
            }
        }
    }

    /** Makes sure that a reshaped source is there before its turn. */
    private void source(Node node) {
        node.inputs().forEach(input -> source(input.node()));
        lower(node);
    }

    private CpuProgram place() {
        List<Instruction<CpuStep>> instructions = assembly.instructions();
        Map<Buffer, String> kept = new LinkedHashMap<>();
        inputs.forEach((name, buffer) -> kept.put(buffer, "input " + name));
        outputs.forEach((name, buffer) -> kept.put(buffer, "output " + name));
        constants.keySet().forEach(buffer -> kept.put(buffer, "constant"));
        double[] bytes = Traffic.of(instructions);
        MemoryPlan plan = new MemoryPlan(instructions, kept, NativeMemory.ALIGNMENT);
        NativeBlock block;
        try {
            block = resources.keep(NativeMemory.allocate(plan.bytes()));
        } catch (OutOfMemoryError e) {
            throw new KingfisherException(
                    "There is no memory for a program of " + plan.bytes() + " bytes on " + device.name()
                            + "; make the batch or the model smaller.",
                    e);
        }
        plan.place(block.address());
        constants.forEach((buffer, source) -> fill(source, buffer.address()));
        List<CpuStep> steps = new ArrayList<>();
        for (Instruction<CpuStep> instruction : instructions) {
            steps.add(instruction.bind().get());
        }
        return new CpuProgram(
                device,
                resources,
                plan.bytes(),
                instructions,
                steps,
                assembly.flops(),
                bytes,
                memory(inputs, types(graph.inputs())),
                memory(outputs, types(graph.outputs())),
                tensors.keySet());
    }

    private static Map<String, Type> types(Map<String, Value> values) {
        Map<String, Type> types = new HashMap<>();
        values.forEach((name, value) -> types.put(name, value.type()));
        return types;
    }

    private Map<String, Tensor> memory(Map<String, Buffer> buffers, Map<String, Type> types) {
        Map<String, Tensor> result = new LinkedHashMap<>();
        buffers.forEach((name, buffer) -> {
            Type type = types.get(name);
            result.put(
                    name,
                    device.memory(type.dtype(), type.shape(), NativeMemory.segment(buffer.address(), type.bytes())));
        });
        return result;
    }

    private static void fill(Source source, long address) {
        switch (source) {
            case Source.Constant constant -> Scalars.write(constant.type().dtype(), address, constant.values());
            case Source.Fill(Type type, double value) ->
                Scalars.fill(type.dtype(), address, type.shape().elements(), value);
            case Source.Input _, Source.Bound _ -> throw new IllegalArgumentException(source.toString());
        }
    }
}
