package io.kingfisher.runtime.graph;

import java.util.List;

/**
 * An operation on values: pure data, no device. An op knows the types that it makes and its vector-Jacobian product, both
 * written here once; how it runs is each device's own affair.
 *
 * <p>Ops do not hold their operands (see {@link Node}), so that equal ops are equal records.
 */
public sealed interface Op
        permits Source,
                Map,
                Reduce,
                Movement,
                MatMul,
                Conv2d,
                Conv2dInputGrad,
                Conv2dWeightGrad,
                Pool,
                Gather,
                ScatterAdd,
                Random,
                LinearAlgebra,
                Detach,
                Fused {

    /**
     * The types of the results.
     *
     * @throws io.kingfisher.runtime.KingfisherException where the inputs do not fit the op
     */
    List<Type> infer(List<Type> inputs);

    /**
     * The vector-Jacobian product: for each input of {@code node} the gradient, null where it is zero or does not exist.
     *
     * @param node the node to differentiate
     * @param gradients the gradient of each output, null where it is zero
     */
    List<Value> vjp(Node node, List<Value> gradients);
}
