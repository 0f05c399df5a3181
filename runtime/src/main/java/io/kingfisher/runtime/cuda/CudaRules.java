package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.KernelEngine;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Fused;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.plan.Legal;
import java.util.List;

/** What the CUDA device computes as it is recorded. */
final class CudaRules implements Legal.Rules {
    private final KernelEngine engine;
    private final MathLibraries math;

    CudaRules(KernelEngine engine, MathLibraries math) {
        this.engine = engine;
        this.math = math;
    }

    /** Fused ops for which neither a library nor we have a kernel. */
    @Override
    public boolean expands(Fused op, Node node) {
        if (Attentions.empty(node)) {
            return engine.plan(op, views(node.inputs()), views(node.outputs())) == null;
        }
        if (op instanceof Attention attention && math.has(Attentions.problem(attention, node))
                || op instanceof AttentionGrad gradient && math.has(Attentions.problem(gradient.forward(), node))) {
            return false;
        }
        return engine.plan(op, views(node.inputs()), views(node.outputs())) == null;
    }

    private static List<View> views(List<Value> values) {
        // Kernels for 16 bits take what those for F32 take, or get it converted.
        return values.stream()
                .map(Value::type)
                .map(type -> type.dtype().half() ? new Type(io.kingfisher.runtime.DType.F32, type.shape()) : type)
                .map(View::of)
                .toList();
    }

    @Override
    public boolean takesHalves(Node node) {
        return switch (node.op()) {
            case Map _, Movement _, Gather _, Detach _, Source _, MatMul _, Reduce _ -> true;
            case Conv2d _, Conv2dInputGrad _, Conv2dWeightGrad _ -> true;
            // Our kernels convert what they load and store.
            case Fused _, Pool _, ScatterAdd _ -> true;
            default -> false;
        };
    }
}
