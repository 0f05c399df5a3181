package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.DnnRecorder.Tensor;
import io.kingfisher.runtime.cuda.math.MathLibraries.Attention;

/**
 * Attention as the graphs that cuDNN's fused engines know (cuDNN's developer guide, "fused flash attention"): written with
 * products, reductions and elementwise operations, carried out by one kernel. The order of operations is part of the pattern.
 */
final class AttentionGraph {
    private final Attention a;
    private final DnnRecorder r = new DnnRecorder();
    private final int type;
    private final int half;
    private final long[] queryRows;
    private final long[] scores;

    private AttentionGraph(Attention a) {
        this.a = a;
        this.type = DnnGraph.type(a.dtype());
        this.half = a.dtype().bytes();
        this.queryRows = new long[] {a.batch(), a.heads(), a.queries(), 1};
        this.scores = new long[] {a.batch(), a.heads(), a.queries(), a.keys()};
    }

    /** What cuDNN's documentation does not exclude: 16 bits, Ampere or newer, widths of up to 128 in eights. */
    static boolean possible(Attention a, Driver.Properties device) {
        return a.dtype().half() && device.major() >= 8 && a.width() <= 128 && a.width() % 8 == 0;
    }

    private long[] rows(long length) {
        return new long[] {a.batch(), a.heads(), length, a.width()};
    }

    private Tensor operand(long length) {
        return r.operand(type, half, rows(length));
    }

    /** Keys or values [B x H x S x D] as [B x H x D x S], where they lie. */
    private Tensor transposedOperand() {
        long matrix = a.keys() * a.width();
        return r.operand(
                type,
                half,
                new long[] {a.batch(), a.heads(), a.width(), a.keys()},
                a.heads() * matrix,
                matrix,
                1,
                a.width());
    }

    private Tensor single(long... dims) {
        return r.virtual(CUDNN_DATA_FLOAT(), dims);
    }

    private Tensor hidden(Tensor x) {
        if (!a.causal()) {
            return x;
        }
        Tensor row = r.index(x, 2), column = r.index(x, 3);
        Tensor seen = r.pointwise(CUDNN_POINTWISE_CMP_GE(), row, column, r.virtual(CUDNN_DATA_BOOLEAN(), scores));
        return r.select(seen, x, r.constant(-Float.MAX_VALUE), single(scores));
    }

    /** Operands: Q, K, V; results: output, log-sum-exp. */
    static DnnGraph forward(Attention attention) {
        return new AttentionGraph(attention).forward();
    }

    private DnnGraph forward() {
        Tensor q = operand(a.queries()), k = transposedOperand(), v = operand(a.keys());
        Tensor output = operand(a.queries());
        Tensor stats = r.operand(CUDNN_DATA_FLOAT(), 4, queryRows);
        Tensor products = r.matmul(q, k, single(scores));
        Tensor scaled = r.pointwise(CUDNN_POINTWISE_MUL(), products, r.constant((float) a.scale()), single(scores));
        Tensor x = hidden(scaled);
        Tensor largest = r.reduce(CUDNN_REDUCE_TENSOR_MAX(), x, single(queryRows));
        Tensor shifted = r.pointwise(CUDNN_POINTWISE_SUB(), x, largest, single(scores));
        Tensor powers = r.pointwise(CUDNN_POINTWISE_EXP(), shifted, single(scores));
        Tensor sum = r.reduce(CUDNN_REDUCE_TENSOR_ADD(), powers, single(queryRows));
        Tensor log = r.pointwise(CUDNN_POINTWISE_LOG(), sum, single(queryRows));
        r.pointwise(CUDNN_POINTWISE_ADD(), largest, log, stats);
        Tensor weights = r.pointwise(CUDNN_POINTWISE_DIV(), powers, sum, r.virtual(type, scores));
        r.matmul(weights, v, output);
        return r.graph("forward " + a);
    }

    /** Operands: Q, K, V, output, log-sum-exp, output's gradient; results: gradients of Q, K, V. */
    static DnnGraph backward(Attention attention) {
        return new AttentionGraph(attention).backward();
    }

    /** Without an accumulator for the gradient of Q, which asks for the engine that gives the same bits every time. */
    private DnnGraph backward() {
        Tensor q = operand(a.queries()), k = transposedOperand(), v = transposedOperand();
        Tensor output = operand(a.queries()), stats = r.operand(CUDNN_DATA_FLOAT(), 4, queryRows);
        Tensor dOutput = operand(a.queries());
        Tensor dq = operand(a.queries()), dk = operand(a.keys()), dv = operand(a.keys());
        Tensor scale = r.constant((float) a.scale());
        Tensor both = r.pointwise(CUDNN_POINTWISE_MUL(), dOutput, output, single(rows(a.queries())));
        Tensor inner = r.reduce(CUDNN_REDUCE_TENSOR_ADD(), both, single(queryRows));
        Tensor sum = r.pointwise(CUDNN_POINTWISE_MUL(), inner, r.constant(1), r.scratch(queryRows));
        Tensor products = r.matmul(q, k, single(scores));
        Tensor scaled = r.pointwise(CUDNN_POINTWISE_MUL(), products, scale, single(scores));
        Tensor shifted = r.pointwise(CUDNN_POINTWISE_SUB(), scaled, stats, single(scores));
        Tensor weights = r.pointwise(CUDNN_POINTWISE_EXP(), hidden(shifted), single(scores));
        r.matmul(r.transposed(weights, type), dOutput, dv);
        Tensor dWeights = r.matmul(dOutput, v, single(scores));
        Tensor centred = r.pointwise(CUDNN_POINTWISE_SUB(), dWeights, sum, single(scores));
        Tensor slopes = r.pointwise(CUDNN_POINTWISE_MUL(), centred, weights, single(scores));
        Tensor dScores = r.pointwise(CUDNN_POINTWISE_MUL(), slopes, scale, single(scores));
        r.matmul(r.transposed(dScores, type), q, dk);
        r.matmul(dScores, r.transposed(k, type), dq);
        return r.graph("backward " + a);
    }
}
