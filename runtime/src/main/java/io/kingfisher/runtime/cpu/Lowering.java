package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/** Chooses for every node the instructions that compute it. */
final class Lowering {
    private final Assembly assembly;
    private final Convolutions convolutions;
    private final Products products;

    Lowering(Assembly assembly, CpuDevice device) {
        this.assembly = assembly;
        this.convolutions = new Convolutions(assembly);
        this.products = new Products(assembly);
    }

    void lower(Node node) {
        boolean single = node.inputs().stream().allMatch(v -> v.dtype() == DType.F32);
        boolean empty = node.inputs().stream().anyMatch(v -> v.shape().elements() == 0)
                || node.outputs().stream().allMatch(v -> v.shape().elements() == 0);
        switch (node.op()) {
            case Movement.Reshape _ ->
                assembly.put(node.output(0), new Assembly.Stored(assembly.plain(node.input(0)), Layout.PLAIN));
            case Detach _ -> assembly.put(node.output(0), assembly.primary(node.input(0)));
            case MatMul op when single && !empty -> products.multiply(op, node);
            case Conv2d op when single && !empty -> convolutions.forward(op, node);
            case Conv2dInputGrad op when single && !empty -> convolutions.inputGradient(op, node);
            case Conv2dWeightGrad op when single && !empty -> convolutions.weightGradient(op, node);
            default -> plain(node);
        }
    }

    /** Plain Java. */
    private void plain(Node node) {
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        for (Value input : node.inputs()) {
            reads.add(assembly.plain(input));
        }
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output));
        }
        assembly.emit(Instruction.of(
                assembly.describe(node, "plain Java"),
                node.scope(),
                reads,
                writes,
                () -> new PlainStep(node, reads, writes)));
    }
}
