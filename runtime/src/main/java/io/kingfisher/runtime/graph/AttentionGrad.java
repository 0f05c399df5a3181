package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import java.util.List;

/**
 * The gradients of Q, K and V of an {@link Attention} from Q, K, V, its output, its log-sum-exp and the output's gradient
 * (Dao et al., FlashAttention, 2022, appendix B.2): with the weights P and D = sum over the width of output times gradient,
 * dV = P^T dO and dS = P (dO V^T - D). The log-sum-exp is what kernels get P from; the expansion does not need it.
 */
public record AttentionGrad(Attention forward) implements Fused {
    @Override
    public List<Type> infer(List<Type> inputs) {
        List<Type> results = forward.infer(inputs.subList(0, 3));
        if (!inputs.subList(3, 5).equals(results) || !inputs.get(5).equals(results.get(0))) {
            throw new KingfisherException("The gradient of attention takes Q, K, V, the output, the log-sum-exp and the"
                    + " output's gradient, not " + inputs + ".");
        }
        return List.copyOf(inputs.subList(0, 3));
    }

    @Override
    public List<Value> expand(List<Value> inputs) {
        Value q = inputs.get(0), k = inputs.get(1), v = inputs.get(2), output = inputs.get(3), dOutput = inputs.get(5);
        // The same nodes as the forward expansion's: a program computes them once.
        Value weights = forward.scores(q, k).softmax();
        Value inner = output.mul(dOutput).reduce(Reduce.Kind.SUM, true, -1);
        Value slopes = dOutput.matmul(v, false, true).sub(inner).mul(weights).mul(forward.scale());
        return List.of(slopes.matmul(k), slopes.matmul(q, true, false), weights.matmul(dOutput, true, false));
    }
}
