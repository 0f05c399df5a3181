package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The axes that operands share, as few as possible: neighbours that all operands walk in one go are joined.
 *
 * @param extents outermost first
 * @param strides for each operand the elements from one index to the next along each axis
 */
@SuppressWarnings("ArrayRecordComponent")
record Space(long[] extents, long[][] strides) {
    /** All of a shape's axes of extent other than 1, ordered so that the given operand is walked as it lies in memory. */
    static Space of(Shape shape, List<View> views, int lead) {
        return of(shape, IntStream.range(0, shape.rank()).boxed().toList(), views, lead);
    }

    /** Only some axes, in which the views without them have stride 0. */
    static Space of(Shape shape, List<Integer> axes, List<View> views, int lead) {
        List<Integer> order = new ArrayList<>(
                axes.stream().filter(axis -> shape.dim(axis) != 1).toList());
        // Axes along which the operand repeats stay where they are relative to their outer neighbour: outermost first.
        order.sort(Comparator.comparingLong((Integer axis) -> {
                    long stride = views.get(lead).strides().get(axis);
                    return stride == 0 ? Long.MAX_VALUE : stride;
                })
                .reversed());
        List<Long> extents = new ArrayList<>();
        List<Integer> inner = new ArrayList<>();
        for (int axis : order) {
            int last = inner.size() - 1;
            if (last >= 0 && joins(views, inner.get(last), axis, shape.dim(axis))) {
                extents.set(last, extents.get(last) * shape.dim(axis));
                inner.set(last, axis);
            } else {
                extents.add(shape.dim(axis));
                inner.add(axis);
            }
        }
        if (extents.isEmpty()) {
            return new Space(new long[] {1}, new long[views.size()][1]);
        }
        long[][] strides = views.stream()
                .map(view -> inner.stream()
                        .mapToLong(axis -> view.strides().get(axis))
                        .toArray())
                .toArray(long[][]::new);
        return new Space(extents.stream().mapToLong(e -> e).toArray(), strides);
    }

    private static boolean joins(List<View> views, int outer, int inner, long extent) {
        return views.stream()
                .allMatch(view -> view.strides().get(outer) == view.strides().get(inner) * extent);
    }

    int rank() {
        return extents.length;
    }

    int last() {
        return extents.length - 1;
    }

    long elements() {
        return LongStream.of(extents).reduce(1, (a, b) -> a * b);
    }

    /** Whether an operand is one element for all places. */
    boolean repeats(int operand) {
        return LongStream.of(strides[operand]).allMatch(stride -> stride == 0);
    }

    /** Whether an operand's elements are numbered as the places are. */
    boolean linear(int operand) {
        long expected = 1;
        for (int axis = last(); axis >= 0; axis--) {
            if (strides[operand][axis] != expected) {
                return false;
            }
            expected *= extents[axis];
        }
        return true;
    }

    /** The largest offset of an operand's element from its first. */
    long reach(int operand) {
        long reach = 0;
        for (int axis = 0; axis < rank(); axis++) {
            reach += Math.max(0, extents[axis] - 1) * strides[operand][axis];
        }
        return reach;
    }
}
