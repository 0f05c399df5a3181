package io.kingfisher.nativebindings.dnnl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * {@code dnnl_memory_desc_t}: dimensions, data type and layout in memory. Dimensions are in oneDNN's logical order
 * (activations N, C, spatial; convolution weights [G,] O, I, spatial), strides in elements.
 */
public final class DnnlMemoryDesc extends DnnlHandle {
    private DnnlMemoryDesc(MemorySegment handle) {
        super(handle, "dnnl_memory_desc_destroy", dnnl_h::dnnl_memory_desc_destroy);
    }

    private static DnnlMemoryDesc create(String function, Dnnl.Creation creation) {
        return new DnnlMemoryDesc(Dnnl.create(function, creation));
    }

    /** A layout by strides; {@code null} strides mean row-major. */
    public static DnnlMemoryDesc strided(int dataType, long[] dims, long[] strides) {
        if (strides != null && strides.length != dims.length) {
            throw new IllegalArgumentException(
                    "dims " + Arrays.toString(dims) + " and strides " + Arrays.toString(strides) + " differ in length");
        }
        return create(
                "dnnl_memory_desc_create_with_strides",
                (scratch, out) -> dnnl_h.dnnl_memory_desc_create_with_strides(
                        out, dims.length, Dnnl.dims(scratch, dims), dataType, Dnnl.dims(scratch, strides)));
    }

    /** The row-major layout. */
    public static DnnlMemoryDesc rowMajor(int dataType, long... dims) {
        return strided(dataType, dims, null);
    }

    /** A layout by its tag, such as {@code dnnl_nhwc}. */
    public static DnnlMemoryDesc tagged(int dataType, long[] dims, int tag) {
        return create(
                "dnnl_memory_desc_create_with_tag",
                (scratch, out) -> dnnl_h.dnnl_memory_desc_create_with_tag(
                        out, dims.length, Dnnl.dims(scratch, dims), dataType, tag));
    }

    /** A layout that the primitive chooses ({@code dnnl_format_tag_any}). */
    public static DnnlMemoryDesc any(int dataType, long... dims) {
        return tagged(dataType, dims, dnnl_h.dnnl_format_tag_any());
    }

    /** Makes the descriptor that {@link #blob} described. */
    public static DnnlMemoryDesc ofBlob(byte[] blob) {
        return create(
                "dnnl_memory_desc_create_with_blob",
                (scratch, out) -> dnnl_h.dnnl_memory_desc_create_with_blob(out, scratch.allocateFrom(JAVA_BYTE, blob)));
    }

    /** Copies a descriptor that something else owns. */
    static DnnlMemoryDesc copyOf(MemorySegment borrowed) {
        return create("dnnl_memory_desc_clone", (scratch, out) -> dnnl_h.dnnl_memory_desc_clone(out, borrowed));
    }

    /** Returns an independent copy. */
    public DnnlMemoryDesc copy() {
        return copyOf(handle());
    }

    /** The rectangle of {@code dims} at {@code offsets} within this. */
    public DnnlMemoryDesc submemory(long[] dims, long[] offsets) {
        return create(
                "dnnl_memory_desc_create_submemory",
                (scratch, out) -> dnnl_h.dnnl_memory_desc_create_submemory(
                        out, handle(), Dnnl.dims(scratch, dims), Dnnl.dims(scratch, offsets)));
    }

    /** The same elements under other dimensions, where the layout allows it. */
    public DnnlMemoryDesc reshape(long... dims) {
        return create(
                "dnnl_memory_desc_reshape",
                (scratch, out) ->
                        dnnl_h.dnnl_memory_desc_reshape(out, handle(), dims.length, Dnnl.dims(scratch, dims)));
    }

    /** The axes in another order: axis {@code i} becomes axis {@code permutation[i]}. */
    public DnnlMemoryDesc permuteAxes(int... permutation) {
        return create(
                "dnnl_memory_desc_permute_axes",
                (scratch, out) -> dnnl_h.dnnl_memory_desc_permute_axes(
                        out, handle(), scratch.allocateFrom(JAVA_INT, permutation)));
    }

    /** The bytes that memory of this description takes, padding included; 0 for a layout still to be chosen. */
    public long bytes() {
        return dnnl_h.dnnl_memory_desc_get_size(handle());
    }

    /** Whether the other has the same dimensions, data type and layout. */
    public boolean sameAs(DnnlMemoryDesc other) {
        return dnnl_h.dnnl_memory_desc_equal(handle(), other.handle()) != 0;
    }

    /** The logical dimensions. */
    public long[] dims() {
        return queryDims(dnnl_h.dnnl_query_dims());
    }

    /** The dimensions with the padding that blocks need. */
    public long[] paddedDims() {
        return queryDims(dnnl_h.dnnl_query_padded_dims());
    }

    /** The strides in elements; of a blocked layout, those between blocks. */
    public long[] strides() {
        return queryDims(dnnl_h.dnnl_query_strides());
    }

    /** The data type's number, such as {@code dnnl_f32}. */
    public int dataType() {
        return queryInt(dnnl_h.dnnl_query_data_type());
    }

    /** The kind of layout: {@code dnnl_blocked}, {@code dnnl_format_kind_any}, {@code dnnl_format_kind_opaque}... */
    public int formatKind() {
        return queryInt(dnnl_h.dnnl_query_format_kind());
    }

    /** How many levels of blocks the layout has: 0 for plain strides. */
    public int innerBlocks() {
        return queryInt(dnnl_h.dnnl_query_inner_nblks_s32());
    }

    /** Whether the layout is plain strides without blocks or padding. */
    public boolean isPlain() {
        return formatKind() == dnnl_h.dnnl_blocked() && innerBlocks() == 0 && Arrays.equals(dims(), paddedDims());
    }

    /** The descriptor as bytes, for {@link #ofBlob} with the same version of oneDNN. */
    public byte[] blob() {
        try (var scratch = Arena.ofConfined()) {
            var size = scratch.allocate(JAVA_LONG);
            Dnnl.check(
                    "dnnl_memory_desc_get_blob", dnnl_h.dnnl_memory_desc_get_blob(MemorySegment.NULL, size, handle()));
            var blob = scratch.allocate(size.get(JAVA_LONG, 0));
            Dnnl.check("dnnl_memory_desc_get_blob", dnnl_h.dnnl_memory_desc_get_blob(blob, size, handle()));
            return blob.toArray(JAVA_BYTE);
        }
    }

    private int queryInt(int what) {
        try (var scratch = Arena.ofConfined()) {
            var result = scratch.allocate(JAVA_LONG);
            Dnnl.check("dnnl_memory_desc_query", dnnl_h.dnnl_memory_desc_query(handle(), what, result));
            return result.get(JAVA_INT, 0);
        }
    }

    private long[] queryDims(int what) {
        try (var scratch = Arena.ofConfined()) {
            var result = scratch.allocate(ADDRESS);
            Dnnl.check("dnnl_memory_desc_query", dnnl_h.dnnl_memory_desc_query(handle(), what, result));
            long bytes = (long) Long.BYTES * queryInt(dnnl_h.dnnl_query_ndims_s32());
            return NativeMemory.segment(result.get(ADDRESS, 0).address(), bytes).toArray(JAVA_LONG);
        }
    }

    /** For messages: the data type, the dimensions and the strides, such as {@code f32 2x3x4 strides 12,4,1}. */
    @Override
    public String toString() {
        var text = typeName(dataType()) + " "
                + LongStream.of(dims()).mapToObj(String::valueOf).collect(Collectors.joining("x"));
        if (formatKind() != dnnl_h.dnnl_blocked()) {
            return text + (formatKind() == dnnl_h.dnnl_format_kind_any() ? " any layout" : " opaque layout");
        }
        return text + " strides "
                + LongStream.of(strides()).mapToObj(String::valueOf).collect(Collectors.joining(","))
                + (innerBlocks() > 0 ? " blocked" : "");
    }

    private static String typeName(int dataType) {
        return switch (dataType) {
            case 1 -> "f16";
            case 2 -> "bf16";
            case 3 -> "f32";
            case 4 -> "s32";
            case 5 -> "s8";
            case 6 -> "u8";
            case 7 -> "f64";
            default -> "type " + dataType;
        };
    }
}
