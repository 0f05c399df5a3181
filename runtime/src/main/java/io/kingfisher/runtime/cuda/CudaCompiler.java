package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.EqualFactorizations;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.passes.Passes;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Epilogues;
import io.kingfisher.runtime.plan.FusedProducts;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.Legal;
import io.kingfisher.runtime.plan.MemoryPlan;
import io.kingfisher.runtime.plan.Results;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** From a graph to a program: lowers every node that is needed, places all memory in one block, binds the steps. */
final class CudaCompiler {
    /** What kernels and libraries like best, and all that the driver promises for an allocation. */
    private static final long ALIGNMENT = 256;

    private final CudaDevice device;
    private final Graph graph;
    private final Fusion fusion;
    private final List<Node> nodes;
    private final Epilogues epilogues;
    private final FusedProducts fused;
    private final Set<Node> lowered = new HashSet<>();
    private final Resources resources = new Resources();
    private final Binder binder;
    private final Assembly assembly;
    private final Lowering lowering;
    private final Map<String, Buffer> inputs = new LinkedHashMap<>();
    private final Map<String, Buffer> outputs = new LinkedHashMap<>();
    private final Map<Tensor, Buffer> tensors = new LinkedHashMap<>();
    private final Map<Buffer, Source> constants = new LinkedHashMap<>();

    CudaCompiler(CudaDevice device, Graph graph) {
        this.device = device;
        Graph legal = Legal.of(graph, new CudaRules(device.engine(), device.math()));
        this.graph = Passes.optimize(EqualFactorizations.together(legal));
        this.fusion = Fusion.of(this.graph);
        this.nodes = Passes.needed(this.graph);
        Precision precision = device.options().tf32() ? Precision.TF32 : Precision.FP32;
        Products products = new Products(device.math(), precision);
        this.epilogues = new Epilogues(nodes, this.graph, products::takesBias);
        this.binder = new Binder(device.driver(), resources);
        this.assembly = new Assembly(device.engine(), binder);
        Set<Value> results = Passes.results(this.graph);
        Set<Node> last = new HashSet<>(fusion.last());
        Set<Value> fixed = new HashSet<>(results);
        nodes.stream()
                .filter(node -> fusion.absorbed(node) || last.contains(node))
                .forEach(node -> fixed.addAll(node.outputs()));
        this.fused = new FusedProducts(nodes, this.graph, fusion, epilogues, products::takes);
        NormActivations activations = new NormActivations(nodes, fixed, last);
        Loops loops = new Loops(
                assembly, epilogues, fused, activations, results, Convolutions.channelsLast(nodes, precision));
        nodes.stream().filter(fused::made).forEach(node -> fixed.addAll(node.outputs()));
        NormGradients gradients = new NormGradients(nodes, fixed, last, loops::existing);
        products.into(assembly);
        this.lowering = new Lowering(
                assembly,
                device.math(),
                epilogues,
                fused,
                activations,
                gradients,
                fusion,
                loops,
                products,
                new Convolutions(
                        assembly, device.math(), precision, device.options().deterministic()));
    }

    CudaProgram compile() {
        try {
            return build();
        } catch (RuntimeException | Error e) {
            try {
                resources.close();
            } catch (RuntimeException second) {
                // Where the context is broken nothing can be freed; the first error says why.
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private CudaProgram build() {
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
        FusedProducts.Fused made = fused.of(node);
        if (made != null && made.bias() != null) {
            source(made.bias().node());
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

    private CudaProgram place() {
        List<Instruction<CudaStep>> instructions = assembly.instructions();
        Ports ports = new Ports(graph, inputs, outputs);
        Map<Buffer, String> kept = new LinkedHashMap<>();
        outputs.forEach((name, buffer) -> kept.put(buffer, "output " + name));
        constants.keySet().forEach(buffer -> kept.put(buffer, "constant"));
        binder.tables().forEach(buffer -> kept.put(buffer, "table of a launch"));
        MemoryPlan plan = new MemoryPlan(instructions, kept, ALIGNMENT);
        binder.load(device.compiler());
        long block = device.allocate(
                plan.bytes() + ports.bytes(),
                () -> "a program whose largest buffers are "
                        + plan.largest(5).stream()
                                .map(use -> CudaDevice.gibibytes(use.buffer().bytes()) + " of " + use.what())
                                .collect(Collectors.joining("; ", "", "; it needs one block")));
        resources.add(() -> device.driver().free(block));
        plan.place(block);
        ports.place(block + plan.bytes());
        Constants.upload(device, constants);
        binder.upload(device.stream());
        List<CudaStep> steps = new ArrayList<>();
        for (Instruction<CudaStep> instruction : instructions) {
            steps.add(instruction.bind().get());
        }
        return new CudaProgram(device, resources, plan, ports, instructions, steps, graph, tensors.keySet());
    }
}
