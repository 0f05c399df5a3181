package io.kingfisher.runtime.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.Dnnl;
import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
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

    /** A physical axis: the logical axis {@code of}, or every {@code step}-th place along it. */
    record Axis(int of, long extent, long step) {}

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

    /** Whether memory of a descriptor is a row-major array of its elements in some order. */
    static boolean gapless(DnnlMemoryDesc desc) {
        return physical(desc) != null;
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

    /** A row-major operand that broadcasts over a shape, seen as one that broadcasts over {@link #physical} of the shape. */
    View operand(Type operand, Shape shape) {
        Shape own = operand.shape();
        int lead = shape.rank() - own.rank();
        long[] strides = own.strides();
        List<Long> physical = axes.stream()
                .map(axis -> axis.of() < lead || own.dim(axis.of() - lead) == 1
                        ? 0L
                        : strides[axis.of() - lead] * axis.step())
                .toList();
        return new View(operand.dtype(), physical(shape), physical, 0);
    }

    /**
     * One cell of every pooling window of an image in this layout.
     *
     * @param output the shape of the windows
     * @param top the cell's row in its window, {@code left} its column
     */
    View cells(Type image, Shape output, int top, int left, int strideH, int strideW) {
        long[] strides = new long[axes.size()];
        long stride = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= axes.get(i).extent();
        }
        long offset = 0;
        List<Long> moved = new ArrayList<>(), extents = new ArrayList<>();
        for (int i = 0; i < strides.length; i++) {
            int of = axes.get(i).of();
            long step = of == 2 ? strideH : of == 3 ? strideW : 1;
            offset += of == 2 ? top * strides[i] : of == 3 ? left * strides[i] : 0;
            // An axis along which the windows are one is not among the output's.
            if (of < 2 || output.dim(of) != 1) {
                moved.add(strides[i] * step);
                extents.add(of < 2 ? axes.get(i).extent() : output.dim(of));
            }
        }
        Shape physical = Shape.of(extents.stream().mapToLong(extent -> extent).toArray());
        return new View(image.dtype(), physical, moved, offset);
    }

    /** Whether this is an image's layout with the channels last or in blocks, as opposed to a weight's. */
    boolean image() {
        if (desc == null || axes == null || desc.dims().length != 4) {
            return false;
        }
        try (DnnlMemoryDesc same = ofImage(desc.dataType(), Shape.of(desc.dims()))) {
            return same != null;
        }
    }

    /** A descriptor of another image with this layout's order of channels; null where it is none of the usual ones. */
    DnnlMemoryDesc ofImage(int dataType, Shape image) {
        for (int tag : new int[] {dnnl_h.dnnl_nhwc(), dnnl_h.dnnl_nChw8c(), dnnl_h.dnnl_nChw16c()}) {
            try (DnnlMemoryDesc candidate = DnnlMemoryDesc.tagged(desc.dataType(), desc.dims(), tag)) {
                if (candidate.sameAs(desc)) {
                    return DnnlMemoryDesc.tagged(dataType, image.toArray(), tag);
                }
            }
        }
        return null;
    }

    /** The channels of an image that lie side by side: all, or those of a block; 0 where this is no {@link #image} layout. */
    int channelBlock() {
        if (!image()) {
            return 0;
        }
        Axis last = axes.isEmpty() ? null : axes.get(axes.size() - 1);
        return last != null && last.of() == 1 ? Math.toIntExact(last.extent()) : 1;
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
            long step = 1;
            for (int k = i + 1; k < levels; k++) {
                step *= of[k] == of[i] ? sizes[k] : 1;
            }
            inner.add(new Axis((int) of[i], sizes[i], step));
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
            axes.add(0, new Axis(axis, outer[axis], desc.dims()[axis] / outer[axis]));
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
