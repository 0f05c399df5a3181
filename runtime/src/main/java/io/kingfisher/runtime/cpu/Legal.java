package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Fused;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxGrad;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/** Rewrites a graph into ops and types that the device computes well: before all other passes. */
final class Legal {
    private final Graph target = new Graph();
    private final java.util.Map<Value, Value> values = new HashMap<>();

    private Legal() {}

    static Graph of(Graph source) {
        return new Legal().copy(source);
    }

    private Graph copy(Graph source) {
        source.inputs().forEach((name, value) -> values.put(value, target.input(name, value.type())));
        for (Node node : source.nodes()) {
            if (node.op() instanceof Source.Input) {
                continue;
            }
            try (Graph.Scope _ = target.scope(node.scope())) {
                List<Value> inputs = node.inputs().stream().map(values::get).toList();
                List<Value> outputs = outputs(node, inputs);
                for (int i = 0; i < outputs.size(); i++) {
                    values.put(node.output(i), outputs.get(i));
                }
            }
        }
        source.outputs().forEach((name, value) -> target.output(name, values.get(value)));
        source.assignments().forEach((tensor, value) -> target.assignElements(tensor, values.get(value)));
        return target;
    }

    private List<Value> outputs(Node node, List<Value> inputs) {
        if (node.op() instanceof Source.Bound(var tensor)) {
            return List.of(target.read(tensor));
        }
        if (node.op() instanceof Fused fused && expanded(fused, node.output(0).dtype())) {
            return fused.expand(inputs);
        }
        if (inputs.stream().anyMatch(value -> value.dtype().half()) && !storesHalves(node)) {
            return inSingle(node, inputs);
        }
        return target.add(node.op(), inputs).outputs();
    }

    /** oneDNN has no doubles, and its softmax gradient is a plain loop where there is no AVX-512. */
    private static boolean expanded(Fused op, DType dtype) {
        return switch (op) {
            case SoftmaxGrad _ -> true;
            case BatchNorm _, BatchNormGrad _, LayerNorm _, LayerNormGrad _, Softmax _ -> dtype == DType.F64;
            default -> false;
        };
    }

    /** Halves are for storage: only what moves or converts elements takes it as it is. */
    private static boolean storesHalves(Node node) {
        return switch (node.op()) {
            case Map _, Movement _, Gather _, Detach _, Source _ -> true;
            default -> false;
        };
    }

    private List<Value> inSingle(Node node, List<Value> inputs) {
        List<Value> wide = new ArrayList<>();
        for (Value input : inputs) {
            wide.add(input.dtype().half() ? input.cast(DType.F32) : input);
        }
        List<Type> types = node.outputs().stream().map(Value::type).toList();
        List<Value> results = new ArrayList<>();
        for (Value output : target.add(node.op(), wide).outputs()) {
            DType dtype = types.get(results.size()).dtype();
            results.add(dtype.half() ? output.cast(dtype) : output);
        }
        return results;
    }
}
