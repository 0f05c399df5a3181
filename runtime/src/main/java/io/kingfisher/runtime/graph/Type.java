package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;

/** What is known of a value before the program runs. */
public record Type(DType dtype, Shape shape) {
    public static Type of(DType dtype, long... extents) {
        return new Type(dtype, Shape.of(extents));
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
