package io.kingfisher.runtime.graph;

import java.util.List;

/**
 * An op for which libraries have one kernel although it could be written with simpler ops. Its first derivative may be a
 * fused op as well; where none is, the op is expanded and its primitives are differentiated, so that every order exists.
 */
public sealed interface Fused extends Op
        permits Attention,
                AttentionGrad,
                BatchNorm,
                BatchNormGrad,
                LayerNorm,
                LayerNormGrad,
                Softmax,
                SoftmaxGrad,
                SoftmaxCrossEntropy,
                SoftmaxCrossEntropyGrad {

    /** The same computation recorded with simpler ops: one value for each output. */
    List<Value> expand(List<Value> inputs);

    /** The fused first derivative as in {@link Op#vjp}, or null where there is none for these gradients. */
    default List<Value> fusedVjp(Node node, List<Value> gradients) {
        return null;
    }

    @Override
    default List<Value> vjp(Node node, List<Value> gradients) {
        List<Value> fused = fusedVjp(node, gradients);
        return fused != null ? fused : Autodiff.throughExpansion(this, node, gradients);
    }
}
