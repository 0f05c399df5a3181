package io.kingfisher.runtime.layout;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * How an operand's elements lie in its memory.
 *
 * @param strides the elements from one to the next along each axis of the shape, 0 where it repeats
 * @param offset the elements before the first
 */
public record View(DType dtype, Shape shape, List<Long> strides, long offset) {
    public View {
        strides = List.copyOf(strides);
    }

    /** Row-major order. */
    public static View of(Type type) {
        List<Long> strides = new ArrayList<>();
        for (long stride : type.shape().strides()) {
            strides.add(stride);
        }
        return new View(type.dtype(), type.shape(), strides, 0);
    }

    /** The same elements repeated along missing axes and axes of extent 1. */
    public View broadcast(Shape target) {
        List<Long> result = new ArrayList<>();
        int missing = target.rank() - shape.rank();
        for (int axis = 0; axis < target.rank(); axis++) {
            boolean repeats = axis < missing || shape.dim(axis - missing) != target.dim(axis);
            result.add(repeats ? 0L : strides.get(axis - missing));
        }
        return new View(dtype, target, result, offset);
    }

    /** Axis i of the result is axis {@code order.get(i)} of this. */
    public View transpose(List<Integer> order) {
        long[] extents = order.stream().mapToLong(axis -> shape.dim(axis)).toArray();
        return new View(
                dtype,
                Shape.of(extents),
                order.stream().map(axis -> strides.get(axis)).toList(),
                offset);
    }

    /** A box of {@code sizes} elements from {@code starts} on. */
    public View slice(List<Long> starts, List<Long> sizes) {
        long start = offset;
        for (int axis = 0; axis < starts.size(); axis++) {
            start += starts.get(axis) * strides.get(axis);
        }
        return new View(dtype, Shape.of(sizes.stream().mapToLong(size -> size).toArray()), strides, start);
    }

    /** The bytes from one element to the next along each axis. */
    public long[] byteStrides() {
        return strides.stream().mapToLong(stride -> stride * dtype.bytes()).toArray();
    }
}
