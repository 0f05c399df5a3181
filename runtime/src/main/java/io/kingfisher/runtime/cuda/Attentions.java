package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import java.util.List;

/** Attention by a library that has it. */
final class Attentions {
    private final Assembly assembly;
    private final MathLibraries math;

    Attentions(Assembly assembly, MathLibraries math) {
        this.assembly = assembly;
        this.math = math;
    }

    /** What a node of attention or of its gradient asks of a library. */
    static MathLibraries.Attention problem(Attention op, Node node) {
        Value q = node.input(0), k = node.input(1);
        return new MathLibraries.Attention(
                q.dtype(), q.dim(0), q.dim(1), q.dim(2), k.dim(2), q.dim(3), op.scale(), op.causal());
    }

    /** Whether a node has elements. */
    static boolean empty(Node node) {
        return node.inputs().stream().anyMatch(value -> value.shape().elements() == 0);
    }

    void forward(Attention op, Node node) {
        call(node, math.attention(problem(op, node)));
    }

    void gradient(AttentionGrad op, Node node) {
        call(node, math.attentionGradient(problem(op.forward(), node)));
    }

    private void call(Node node, io.kingfisher.runtime.cuda.math.Call call) {
        List<Buffer> reads = node.inputs().stream().map(assembly::plain).toList();
        String what = assembly.describe(node);
        List<Buffer> writes = node.outputs().stream()
                .map(value -> assembly.define(value, Layout.PLAIN))
                .toList();
        assembly.call(what, node.scope(), call, reads, writes);
    }
}
