package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;

/** Our own attention, in row-major order, for heads of up to 128 columns in F32 and in halves. */
final class Attentions {
    private static final int MOST_COLUMNS = 128;
    private static final int TILE = 32;
    private static final int BLOCK = 128;

    private Attentions() {}

    private static boolean supported(View q, View k) {
        return q.dtype() != DType.F64
                && q.shape().dim(3) <= MOST_COLUMNS
                && q.shape().elements() > 0
                && k.shape().elements() > 0
                && q.shape().dim(2) < Integer.MAX_VALUE - TILE
                && k.shape().dim(2) < Integer.MAX_VALUE - TILE;
    }

    private static KernelCode code(Sources sources, View q) {
        long parts = Maps.ceil(q.shape().dim(3), 16);
        return sources.code("attention.cu", q.dtype(), 0, "const int PARTS = " + parts + ";\n");
    }

    private static KernelLaunch launch(KernelCode code, String function, View rows, List<Argument> arguments) {
        Shape shape = rows.shape();
        long blocks = shape.dim(0) * shape.dim(1) * Maps.ceil(shape.dim(2), TILE);
        return new KernelLaunch(code, function, Math.toIntExact(blocks), 1, 1, BLOCK, 0, arguments);
    }

    /** What every kernel is told, after its operands. */
    private static List<Argument> arguments(Attention op, View q, View k, Argument... operands) {
        List<Argument> all = new ArrayList<>(List.of(operands));
        all.add(new Argument.Int(Math.toIntExact(q.shape().dim(2))));
        all.add(new Argument.Int(Math.toIntExact(k.shape().dim(2))));
        all.add(new Argument.Int(Math.toIntExact(q.shape().dim(3))));
        all.add(new Argument.Float((float) op.scale()));
        all.add(new Argument.Int(op.causal() ? 1 : 0));
        return all;
    }

    private static Argument operand(int index) {
        return new Argument.Operand(index);
    }

    /** Inputs Q, K, V; outputs the output and the log-sum-exp. Null where we have no kernel. */
    static KernelPlan forward(Sources sources, Attention op, View q, View k) {
        if (!supported(q, k)) {
            return null;
        }
        return KernelPlan.of(launch(
                code(sources, q),
                "attention",
                q,
                arguments(op, q, k, operand(0), operand(1), operand(2), operand(3), operand(4))));
    }

    /** Inputs Q, K, V, output, log-sum-exp, output's gradient; outputs the gradients of Q, K, V. */
    static KernelPlan backward(Sources sources, Attention op, View q, View k) {
        if (!supported(q, k)) {
            return null;
        }
        KernelCode code = code(sources, q);
        long rows = q.shape().elements() / q.shape().dim(3);
        Argument inner = new Argument.Scratch(0);
        KernelLaunch inners = Tables.launch(
                code,
                "attention_inner",
                Math.toIntExact(Maps.ceil(rows, 8)),
                256,
                operand(3),
                operand(5),
                inner,
                new Argument.Long(rows),
                new Argument.Int(Math.toIntExact(q.shape().dim(3))));
        KernelLaunch queries = launch(
                code,
                "attention_query_gradient",
                q,
                arguments(op, q, k, operand(0), operand(1), operand(2), operand(4), operand(5), inner, operand(6)));
        KernelLaunch keys = launch(
                code,
                "attention_key_gradient",
                k,
                arguments(
                        op,
                        q,
                        k,
                        operand(0),
                        operand(1),
                        operand(2),
                        operand(4),
                        operand(5),
                        inner,
                        operand(7),
                        operand(8)));
        return new KernelPlan(List.of(inners, queries, keys), List.of(rows * Float.BYTES), List.of());
    }
}
