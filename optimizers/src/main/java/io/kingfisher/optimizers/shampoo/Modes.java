package io.kingfisher.optimizers.shampoo;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;

/** Products along one mode of tensors X [groups x d_1 x ... x d_k]; modes count from 0. */
final class Modes {
    private Modes() {}

    /** How many numbers are before and after the mode's axis. */
    private record Split(long groups, long before, long extent, long after) {
        static Split of(Value x, int mode) {
            Shape s = x.shape();
            return new Split(
                    s.dim(0),
                    s.slice(1, 1 + mode).elements(),
                    s.dim(1 + mode),
                    s.slice(2 + mode, s.rank()).elements());
        }
    }

    /** X_(i) X_(i)^T [groups x d_i x d_i]: the products of slices with one another. */
    static Value moment(Value x, int mode) {
        Split s = Split.of(x, mode);
        if (s.before() == 1) {
            Value unfolded = x.reshape(s.groups(), s.extent(), s.after());
            return unfolded.matmul(unfolded, false, true);
        }
        if (s.after() == 1) {
            Value unfolded = x.reshape(s.groups(), s.before(), s.extent());
            return unfolded.matmul(unfolded, true, false);
        }
        Value unfolded = x.reshape(s.groups(), s.before(), s.extent(), s.after())
                .transpose(0, 2, 1, 3)
                .reshape(s.groups(), s.extent(), s.before() * s.after());
        return unfolded.matmul(unfolded, false, true);
    }

    /** The diagonal of {@link #moment}, [groups x d_i]. */
    static Value squares(Value x, int mode) {
        Split s = Split.of(x, mode);
        return x.square().reshape(s.groups(), s.before(), s.extent(), s.after()).sum(1, 3);
    }

    /** M X along the mode, or M^T X: M [groups x d_i x d_i]. */
    static Value times(Value matrix, boolean transpose, Value x, int mode) {
        Split s = Split.of(x, mode);
        if (s.before() == 1) {
            return matrix.matmul(x.reshape(s.groups(), s.extent(), s.after()), transpose, false)
                    .reshape(x.shape());
        }
        if (s.after() == 1) {
            return x.reshape(s.groups(), s.before(), s.extent())
                    .matmul(matrix, false, !transpose)
                    .reshape(x.shape());
        }
        return matrix.reshape(s.groups(), 1, s.extent(), s.extent())
                .matmul(x.reshape(s.groups(), s.before(), s.extent(), s.after()), transpose, false)
                .reshape(x.shape());
    }

    /** A diagonal [groups x d_i] as it broadcasts to tensors of X's rank. */
    static Value column(Value diagonal, Value x, int mode) {
        long[] extents = new long[x.rank()];
        java.util.Arrays.fill(extents, 1);
        extents[0] = diagonal.dim(0);
        extents[1 + mode] = diagonal.dim(1);
        return diagonal.reshape(extents);
    }

    /** The norm of each group's tensor, [groups x 1 x ... x 1]. */
    static Value norm(Value x) {
        long[] extents = new long[x.rank()];
        java.util.Arrays.fill(extents, 1);
        extents[0] = x.dim(0);
        return x.reshape(x.dim(0), -1).square().sum(1).sqrt().reshape(extents);
    }
}
