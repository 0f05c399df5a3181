package io.kingfisher.runtime.graph;

import java.util.Collections;
import java.util.List;

/** Its input, through which no gradient flows. */
public record Detach() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(inputs.get(0));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        return Collections.singletonList(null);
    }
}
