package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Fused;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxGrad;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.plan.Legal;

/** oneDNN has no doubles, and its softmax gradient is a plain loop where there is no AVX-512. */
final class CpuRules implements Legal.Rules {
    @Override
    public boolean expands(Fused op, Node node) {
        DType dtype = node.output(0).dtype();
        return switch (op) {
            case SoftmaxGrad _ -> true;
            // Products and a softmax, of which both directions share what they have in common.
            case Attention _, AttentionGrad _ -> true;
            case BatchNorm _, BatchNormGrad _, LayerNorm _, LayerNormGrad _, Softmax _ -> dtype == DType.F64;
            default -> false;
        };
    }

    /** Types of 16 bits are for storage: only what moves or converts elements takes them as they are. */
    @Override
    public boolean takesHalves(Node node) {
        return switch (node.op()) {
            case Map _, Movement _, Gather _, Detach _, Source _ -> true;
            default -> false;
        };
    }
}
