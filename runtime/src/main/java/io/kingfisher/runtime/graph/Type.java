package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import java.util.List;

/** What is known of a value before the program runs. */
public record Type(DType dtype, Shape shape) {
    public static Type of(DType dtype, long... extents) {
        return new Type(dtype, Shape.of(extents));
    }

    /** Whether all are of one floating type. */
    static boolean oneFloating(List<Type> types) {
        return types.stream().allMatch(type -> type.dtype.floating() && type.dtype == types.get(0).dtype);
    }

    /** The memory that a value of this type takes in row-major order. */
    public long bytes() {
        return shape.elements() * dtype.bytes();
    }

    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
