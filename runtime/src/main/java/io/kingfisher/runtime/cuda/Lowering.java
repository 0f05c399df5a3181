package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.passes.Fusion;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Epilogues;
import io.kingfisher.runtime.plan.FusedProducts;
import java.util.List;

/** Chooses for every node the launches and calls that compute it. */
final class Lowering {
    private final Assembly assembly;
    private final MathLibraries math;
    private final Epilogues epilogues;
    private final FusedProducts fused;
    private final NormActivations activations;
    private final NormGradients gradients;
    private final Fusion fusion;
    private final Loops loops;
    private final Products products;
    private final Convolutions convolutions;
    private final Attentions attentions;

    Lowering(
            Assembly assembly,
            MathLibraries math,
            Epilogues epilogues,
            FusedProducts fused,
            NormActivations activations,
            NormGradients gradients,
            Fusion fusion,
            Loops loops,
            Products products,
            Convolutions convolutions) {
        this.assembly = assembly;
        this.math = math;
        this.epilogues = epilogues;
        this.fused = fused;
        this.activations = activations;
        this.gradients = gradients;
        this.fusion = fusion;
        this.loops = loops;
        this.products = products;
        this.convolutions = convolutions;
        this.attentions = new Attentions(assembly, math);
    }

    void lower(Node node) {
        if (fused.made(node) || gradients.made(node)) {
            return;
        }
        switch (node.op()) {
            case Movement.Reshape _ ->
                assembly.put(node.output(0), new Assembly.Stored(assembly.plain(node.input(0)), Layout.PLAIN));
            case Detach _ -> assembly.put(node.output(0), assembly.primary(node.input(0)));
            case Map op -> loops.map(op, node);
            case BatchNorm _ when activations.waits(node) != null -> {}
            case BatchNormGrad _ when gradients.of(node) != null -> loops.masked(gradients.of(node));
            case Reduce _ -> loops.reduce(fusion.reduction(node), node);
            case MatMul op -> products.multiply(op, node, epilogues.bias(node.output(0)), fused.of(node));
            case Conv2d op -> convolutions.forward(op, node);
            case Conv2dInputGrad op -> convolutions.inputGradient(op, node);
            case Conv2dWeightGrad op -> convolutions.weightGradient(op, node);
            case LinearAlgebra op -> factorize(op, node);
            case Attention op
            when !Attentions.empty(node) && math.has(Attentions.problem(op, node)) -> attentions.forward(op, node);
            case AttentionGrad op
            when !Attentions.empty(node) && math.has(Attentions.problem(op.forward(), node)) ->
                attentions.gradient(op, node);
            default -> loops.plain(node);
        }
    }

    private void factorize(LinearAlgebra op, Node node) {
        List<Buffer> writes = node.outputs().stream()
                .map(value -> assembly.define(value, Layout.PLAIN))
                .toList();
        if (node.inputs().stream().anyMatch(value -> value.shape().elements() == 0)) {
            writes.forEach(buffer -> assembly.clear(assembly.describe(node), node.scope(), buffer));
            return;
        }
        var call = math.factorization(new Factorization(
                op,
                node.input(0).dtype(),
                node.inputs().stream().map(Value::shape).toList()));
        List<Buffer> reads = node.inputs().stream().map(assembly::plain).toList();
        assembly.call(assembly.describe(node), node.scope(), call, reads, writes);
    }

    /** Elementwise nodes that nothing waits for. */
    void last(List<Node> nodes) {
        loops.together(nodes);
    }
}
