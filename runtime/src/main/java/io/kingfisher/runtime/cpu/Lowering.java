package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.plan.Epilogues;
import java.util.List;
import java.util.Set;

/** Chooses for every node the instructions that compute it. */
final class Lowering {
    private final Assembly assembly;
    private final Convolutions convolutions;
    private final WinogradConvolutions winograd;
    private final Products products;
    private final Norms norms;
    private final Pools pools;
    private final Softmaxes softmaxes;
    private final Factorizations factorizations;
    private final Loops loops;
    private final Epilogues epilogues;
    private final Fusion fusion;

    Lowering(
            Assembly assembly,
            CpuDevice device,
            List<Node> nodes,
            Epilogues epilogues,
            Fusion fusion,
            Set<Value> results) {
        this.epilogues = epilogues;
        this.fusion = fusion;
        this.assembly = assembly;
        this.winograd = new WinogradConvolutions(assembly, device, nodes);
        this.convolutions = new Convolutions(assembly, winograd.used());
        this.products = new Products(assembly);
        this.loops = new Loops(assembly, device.kernels(), epilogues, results);
        this.norms = new Norms(assembly, loops);
        this.pools = new Pools(assembly, loops);
        this.factorizations = new Factorizations(assembly);
        this.softmaxes = new Softmaxes(assembly);
    }

    void lower(Node node) {
        boolean single = node.inputs().stream().allMatch(v -> v.dtype() == DType.F32);
        boolean empty = node.inputs().stream().anyMatch(v -> v.shape().elements() == 0)
                || node.outputs().stream().allMatch(v -> v.shape().elements() == 0);
        switch (node.op()) {
            case Movement.Reshape _ ->
                assembly.put(node.output(0), new Assembly.Stored(assembly.plain(node.input(0)), Layout.PLAIN));
            case Movement.Slice op when assembly.part(op, node) -> {}
            case Detach _ -> assembly.put(node.output(0), assembly.primary(node.input(0)));
            case Map op -> loops.map(op, node);
            case Reduce _ -> loops.reduce(fusion.reduction(node), node);
            case MatMul op when single && !empty -> products.multiply(op, node, epilogues.bias(node.output(0)));
            case MatMul op when node.output(0).dtype() == DType.F64 && !empty -> products.multiplyDouble(op, node);
            case Conv2d op when single && !empty -> forward(op, node);
            case Conv2dInputGrad op when single && !empty -> inputGradient(op, node);
            case Conv2dWeightGrad op when single && !empty -> weightGradient(op, node);
            case BatchNorm op when single && !empty -> norms.batch(op, node);
            case BatchNormGrad op when single && !empty -> norms.batchGradient(op, node);
            case LayerNorm op when single && !empty -> norms.layer(op, node);
            case LayerNormGrad _ when single && !empty -> norms.layerGradient(node);
            case Softmax _ when single && !empty -> softmaxes.forward(node);
            case Pool op when pools.lower(op, node) -> {}
            case LinearAlgebra op when !empty -> factorizations.lower(op, node);
            default -> loops.plain(node);
        }
    }

    private void forward(Conv2d op, Node node) {
        Value bias = epilogues.bias(node.output(0));
        if (winograd.takes(node)) {
            winograd.forward(op, node, bias);
        } else {
            convolutions.forward(op, node, bias);
        }
    }

    private void inputGradient(Conv2dInputGrad op, Node node) {
        if (winograd.takes(node)) {
            winograd.inputGradient(op, node);
        } else {
            convolutions.inputGradient(op, node);
        }
    }

    private void weightGradient(Conv2dWeightGrad op, Node node) {
        if (winograd.takes(node)) {
            winograd.weightGradient(op, node);
        } else {
            convolutions.weightGradient(op, node);
        }
    }

    /** Elementwise nodes that nothing waits for. */
    void last(List<Node> nodes) {
        loops.together(nodes);
    }
}
