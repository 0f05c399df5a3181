package io.kingfisher.runtime;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The extents of a tensor, outermost first; a scalar has none. Immutable. */
public final class Shape {
    /** The shape of a scalar. */
    public static final Shape SCALAR = new Shape(new long[0]);

    private final long[] extents;
    private final long elements;

    private Shape(long[] extents) {
        this.extents = extents;
        long product = 1;
        for (long extent : extents) {
            if (extent < 0) {
                throw new KingfisherException("A shape cannot have the negative extent " + extent + "; got "
                        + Arrays.toString(extents) + ".");
            }
            try {
                product = Math.multiplyExact(product, extent);
            } catch (ArithmeticException e) {
                throw new KingfisherException(
                        "The shape " + Arrays.toString(extents) + " has more elements than a long can count.", e);
            }
        }
        this.elements = product;
    }

    public static Shape of(long... extents) {
        return extents.length == 0 ? SCALAR : new Shape(extents.clone());
    }

    public int rank() {
        return extents.length;
    }

    /** The extent of an axis; negative axes count from the last, as -1. */
    public long dim(int axis) {
        return extents[axis(axis)];
    }

    /** {@link #dim} as an int, for the libraries that want one. */
    public int size(int axis) {
        return Math.toIntExact(dim(axis));
    }

    /** The number of elements: 1 for a scalar. */
    public long elements() {
        return elements;
    }

    public long[] toArray() {
        return extents.clone();
    }

    /** The axis counted from the first, for an axis that may be counted from the last. */
    public int axis(int axis) {
        int result = axis < 0 ? axis + extents.length : axis;
        if (result < 0 || result >= extents.length) {
            throw new KingfisherException("The shape " + this + " has no axis " + axis + ".");
        }
        return result;
    }

    /** The shape with the extent of one axis replaced. */
    public Shape with(int axis, long extent) {
        long[] result = extents.clone();
        result[axis(axis)] = extent;
        return new Shape(result);
    }

    /** The axes from {@code from} (included) to {@code to} (excluded). */
    public Shape slice(int from, int to) {
        return of(Arrays.copyOfRange(extents, from, to));
    }

    /** This shape's axes followed by another's. */
    public Shape concat(Shape other) {
        long[] result = Arrays.copyOf(extents, extents.length + other.extents.length);
        System.arraycopy(other.extents, 0, result, extents.length, other.extents.length);
        return of(result);
    }

    /** The distance between neighbours along each axis in elements, for memory in row-major order. */
    public long[] strides() {
        long[] result = new long[extents.length];
        long stride = 1;
        for (int i = extents.length - 1; i >= 0; i--) {
            result[i] = stride;
            stride *= extents[i];
        }
        return result;
    }

    /** The common shape of two shapes aligned at their last axes, an axis of 1 stretching to the other's extent. */
    public Shape broadcast(Shape other) {
        int rank = Math.max(rank(), other.rank());
        long[] result = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long a = i <= rank() ? dim(-i) : 1;
            long b = i <= other.rank() ? other.dim(-i) : 1;
            if (a != b && a != 1 && b != 1) {
                throw new KingfisherException("The shapes " + this + " and " + other + " do not broadcast: axis "
                        + (rank - i) + " has " + a + " and " + b + "; make them equal or one of them 1.");
            }
            result[rank - i] = a == 1 ? b : a;
        }
        return of(result);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    @Override
    public String toString() {
        return Arrays.stream(extents).mapToObj(Long::toString).collect(Collectors.joining("x", "[", "]"));
    }
}
