package io.kingfisher.runtime.cpu.kernels;

import java.util.Arrays;
import java.util.List;

/**
 * The axes that operands share, as few as possible: neighbours of one group that all operands walk in one go are joined.
 *
 * @param extents at least one axis, outermost first
 * @param groups the group of each axis
 * @param strides for each operand the bytes from one index to the next along each axis
 */
@SuppressWarnings("ArrayRecordComponent")
record Nest(long[] extents, int[] groups, long[][] strides) {
    static Nest of(long[] shape, long[][] strides) {
        return of(shape, new int[shape.length], strides);
    }

    /** As {@link #of(long[], long[][])}, joining only axes of one group. */
    static Nest of(long[] shape, int[] groups, long[][] strides) {
        long[] extents = new long[shape.length + 1];
        int[] axes = new int[shape.length + 1];
        int rank = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            if (shape[axis] == 1) {
                continue;
            }
            if (rank > 0
                    && groups[axes[rank - 1]] == groups[axis]
                    && joins(strides, axes[rank - 1], axis, shape[axis])) {
                extents[rank - 1] *= shape[axis];
            } else {
                extents[rank++] = shape[axis];
            }
            axes[rank - 1] = axis;
        }
        if (rank == 0) {
            return new Nest(new long[] {1}, new int[1], new long[strides.length][1]);
        }
        long[][] kept = new long[strides.length][rank];
        for (int k = 0; k < strides.length; k++) {
            for (int r = 0; r < rank; r++) {
                kept[k][r] = strides[k][axes[r]];
            }
        }
        int[] keptGroups =
                Arrays.stream(axes, 0, rank).map(axis -> groups[axis]).toArray();
        return new Nest(Arrays.copyOf(extents, rank), keptGroups, kept);
    }

    private static boolean joins(long[][] strides, int outer, int inner, long extent) {
        for (long[] s : strides) {
            if (s[outer] != s[inner] * extent) {
                return false;
            }
        }
        return true;
    }

    /** The axes with the given numbers, in that order. */
    Nest select(List<Integer> axes) {
        return new Nest(
                axes.stream().mapToLong(axis -> extents[axis]).toArray(),
                axes.stream().mapToInt(axis -> groups[axis]).toArray(),
                Arrays.stream(strides)
                        .map(s -> axes.stream().mapToLong(axis -> s[axis]).toArray())
                        .toArray(long[][]::new));
    }

    /** Moves the operands' addresses by a place counted in row-major order. */
    void advance(long place, long[] at) {
        for (int axis = extents.length - 1; axis >= 0 && place > 0; axis--) {
            // Divisions take as long as a dozen elements: none for the outermost axis.
            long index = axis == 0 ? place : place % extents[axis];
            place = axis == 0 ? 0 : place / extents[axis];
            for (int k = 0; k < strides.length; k++) {
                at[k] += index * strides[k][axis];
            }
        }
    }

    int rank() {
        return extents.length;
    }

    long elements() {
        long product = 1;
        for (long extent : extents) {
            product *= extent;
        }
        return product;
    }

    /** The extent of the innermost axis. */
    long inner() {
        return extents[extents.length - 1];
    }

    /** How operand k's elements of the given size lie along the innermost axis. */
    LoopSpec.Access access(int k, int bytes) {
        return access(k, extents.length - 1, bytes);
    }

    LoopSpec.Access access(int k, int axis, int bytes) {
        long stride = strides[k][axis];
        if (extents[axis] == 1 || stride == bytes) {
            return LoopSpec.Access.ELEMENTS;
        }
        return stride == 0 ? LoopSpec.Access.INVARIANT : LoopSpec.Access.STRIDED;
    }
}
