package io.kingfisher.runtime.graph;

/** How much arithmetic the ops take that are made of products. */
public final class Flops {
    private Flops() {}

    /** Multiplications and additions of a matrix product or a convolution, two for each pair of factors; 0 for other ops. */
    public static double of(Node node) {
        return switch (node.op()) {
            case MatMul(boolean transposeA, boolean _) ->
                2.0 * node.output(0).shape().elements() * node.input(0).dim(transposeA ? -2 : -1);
            // Each output takes a patch of the input times the weight; both gradients are the same sums in another
            // order.
            case Conv2d _ ->
                2.0 * node.output(0).shape().elements() * patch(node.input(1).type());
            case Conv2dInputGrad _ ->
                2.0 * node.input(0).shape().elements() * patch(node.input(1).type());
            case Conv2dWeightGrad _ ->
                2.0 * node.input(1).shape().elements() * patch(node.output(0).type());
            default -> 0;
        };
    }

    /** The factors that one output of a convolution sums. */
    private static double patch(Type weight) {
        return (double) weight.shape().elements() / Math.max(1, weight.shape().dim(0));
    }
}
