package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The columns of a {@link SampleJacobian} that belong to one weight and its bias. Rows are counted [draws x samples].
 */
sealed interface SampleRows permits OuterRows, TableRows, NormRows {
    /**
     * One application of a layer to all samples.
     *
     * @param capture stands for the layer
     * @param a what it saw [N x ...]; of a norm layer the normalised input
     * @param g the gradients of its outputs [D x N x ...], one for each draw
     */
    record Application(Capture capture, Value a, Value g) {
        long draws() {
            return g.dim(0);
        }

        long samples() {
            return g.dim(1);
        }
    }

    /** The columns' part of J J^T, F64 [M x M]. */
    Value gram();

    /** The columns' part of the squared lengths of the rows, F64 [M]. */
    Value squaredNorms();

    /** The columns' part of J v, F32 [draws x samples]. */
    Value times(Function<Parameter, Value> v);

    /** J^T y for y of F32 [draws x samples]: for each trainable parameter a value of its shape. */
    Map<Parameter, Value> transposed(Value y);

    /** x x^T in F64 for x [rows x columns]. */
    static Value products(Value x) {
        Value wide = x.cast(DType.F64);
        return wide.matmul(wide, false, true);
    }

    /** Values [D x N x ...] weighted by y [D x N] and summed over the draws, [N x ...]. */
    static Value weighted(Value g, Value y) {
        long[] column = new long[g.rank()];
        java.util.Arrays.fill(column, 1);
        column[0] = g.dim(0);
        column[1] = g.dim(1);
        return g.mul(y.reshape(column)).sum(0);
    }

    /** The sum of values where there are several. */
    static Value sum(List<Value> parts) {
        return parts.get(0).graph().sum(parts);
    }
}
