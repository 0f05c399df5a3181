package io.kingfisher.runtime.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.Dnnl;
import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.Shape;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a value lies in memory: in row-major order, or as a oneDNN descriptor says.
 *
 * <p>A blocked layout without padding is a row-major array of more axes: {@code nChw8c} of [N x C x H x W] is [N x C/8 x H x W
 * x 8]. Elementwise steps and reductions run on that array; {@link #axes} are its axes.
 */
final class Layout {
    /** Row-major order. */
    static final Layout PLAIN = new Layout(null, List.of());

    /** A physical axis: a part of the logical axis {@code of}. */
    record Axis(int of, long extent) {}

    private final DnnlMemoryDesc desc;
    private final List<Axis> axes;

    private Layout(DnnlMemoryDesc desc, List<Axis> axes) {
        this.desc = desc;
        this.axes = axes;
    }

    /** The layout of a descriptor, which lives as long as the layout; {@link #PLAIN} where it is row-major. */
    static Layout of(DnnlMemoryDesc desc) {
        List<Axis> axes = physical(desc);
        boolean plain = axes != null;
        for (int i = 1; plain && i < axes.size(); i++) {
            plain = axes.get(i - 1).of() < axes.get(i).of();
        }
        return plain ? PLAIN : new Layout(desc, axes);
    }

    boolean plain() {
        return desc == null;
    }

    /** The descriptor of a layout that is not plain. */
    DnnlMemoryDesc desc() {
        return desc;
    }

    boolean same(Layout other) {
        return desc == null || other.desc == null ? desc == other.desc : desc.sameAs(other.desc);
    }

    /** Whether this is a permuted or blocked order without gaps, which {@link #physical} describes. */
    boolean dense() {
        return axes != null;
    }

    /** The shape of the row-major array that an array of {@code shape} in this layout is. */
    Shape physical(Shape shape) {
        return plain() ? shape : Shape.of(axes.stream().mapToLong(Axis::extent).toArray());
    }

    /**
     * The shape under which a row-major operand broadcasts over {@link #physical} as it broadcasts over the logical shape of
     * rank {@code rank}; null where its order differs, which it does unless all its axes but one are 1.
     */
    Shape operand(Shape operand, int rank) {
        int lead = rank - operand.rank();
        int varying = -1;
        for (int i = 0; i < operand.rank(); i++) {
            if (operand.dim(i) != 1) {
                if (varying >= 0) {
                    return null;
                }
                varying = i + lead;
            }
        }
        int axis = varying;
        return Shape.of(
                axes.stream().mapToLong(a -> a.of() == axis ? a.extent() : 1).toArray());
    }

    /** The physical axes that make up the given logical ones; null where those that remain are not in logical order. */
    List<Integer> reduced(List<Integer> logical) {
        List<Integer> result = new ArrayList<>();
        int before = -1;
        for (int i = 0; i < axes.size(); i++) {
            int of = axes.get(i).of();
            if (logical.contains(of)) {
                result.add(i);
            } else if (of < before) {
                return null;
            } else {
                before = of;
            }
        }
        return result;
    }

    /** The axes of the row-major array that memory of a descriptor is, without those of extent 1; null if it is none. */
    private static List<Axis> physical(DnnlMemoryDesc desc) {
        if (desc.formatKind() != dnnl_h.dnnl_blocked() || !java.util.Arrays.equals(desc.dims(), desc.paddedDims())) {
            return null;
        }
        long[] outer = desc.dims(), strides = desc.strides();
        int levels = desc.innerBlocks();
        long[] sizes = dims(desc, dnnl_h.dnnl_query_inner_blks(), levels);
        long[] of = dims(desc, dnnl_h.dnnl_query_inner_idxs(), levels);
        List<Axis> inner = new ArrayList<>();
        long expected = 1;
        for (int i = 0; i < levels; i++) {
            inner.add(new Axis((int) of[i], sizes[i]));
            outer[(int) of[i]] /= sizes[i];
            expected *= sizes[i];
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < outer.length; i++) {
            if (outer[i] != 1) {
                order.add(i);
            }
        }
        order.sort(Comparator.comparingLong(i -> strides[i]));
        List<Axis> axes = new ArrayList<>();
        for (int axis : order) {
            if (strides[axis] != expected) {
                return null;
            }
            expected *= outer[axis];
            axes.add(0, new Axis(axis, outer[axis]));
        }
        axes.addAll(inner);
        return axes;
    }

    private static long[] dims(DnnlMemoryDesc desc, int what, int count) {
        try (Arena scratch = Arena.ofConfined()) {
            var result = scratch.allocate(ADDRESS);
            Dnnl.check("dnnl_memory_desc_query", dnnl_h.dnnl_memory_desc_query(desc.handle(), what, result));
            return NativeMemory.segment(result.get(ADDRESS, 0).address(), (long) Long.BYTES * count)
                    .toArray(JAVA_LONG);
        }
    }

    /** As {@code dnnl} writes tags: letters from the outermost axis on, blocked ones in capitals, then the blocks. */
    @Override
    public String toString() {
        if (plain()) {
            return "plain";
        }
        return axes == null
                ? "opaque"
                : axes.stream()
                        .map(a -> (char) ('a' + a.of()) + "" + a.extent())
                        .collect(Collectors.joining("."));
    }
}
