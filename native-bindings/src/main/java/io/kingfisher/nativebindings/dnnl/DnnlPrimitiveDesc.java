package io.kingfisher.nativebindings.dnnl;

import static io.kingfisher.nativebindings.dnnl.Dnnl.dims;
import static io.kingfisher.nativebindings.dnnl.Dnnl.orNull;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code dnnl_primitive_desc_t}: an operation on given layouts, and the implementation that oneDNN chose for it.
 *
 * <p>The factories are the C functions {@code dnnl_NAME_primitive_desc_create} with their arguments in their order.
 * {@code bias} (or {@code diffBias}), {@code attributes} and a {@code hint} may be {@code null}. Dilations count from 0: 0 is
 * a dense kernel. Descriptors are copied, so they may be closed afterwards.
 */
public final class DnnlPrimitiveDesc extends DnnlHandle {
    private DnnlPrimitiveDesc(MemorySegment handle) {
        super(handle, "dnnl_primitive_desc_destroy", dnnl_h::dnnl_primitive_desc_destroy);
    }

    /** Makes one, and in a failure's message names the layouts involved. */
    private static DnnlPrimitiveDesc create(String name, Dnnl.Creation creation, DnnlMemoryDesc... involved) {
        var function = "dnnl_" + name + "_primitive_desc_create";
        try {
            return new DnnlPrimitiveDesc(Dnnl.create(function, creation));
        } catch (NativeException e) {
            var layouts = Stream.of(involved)
                    .filter(Objects::nonNull)
                    .map(DnnlMemoryDesc::toString)
                    .collect(Collectors.joining("; "));
            throw Dnnl.failure(function, e.status(), "oneDNN cannot do this with " + layouts);
        }
    }

    /** Convolution, forward. */
    public static DnnlPrimitiveDesc convolutionForward(
            DnnlEngine engine,
            int propKind,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc weights,
            DnnlMemoryDesc bias,
            DnnlMemoryDesc dst,
            long[] strides,
            long[] dilations,
            long[] paddingLeft,
            long[] paddingRight,
            DnnlAttributes attributes) {
        return create(
                "convolution_forward",
                (scratch, out) -> dnnl_h.dnnl_convolution_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        algorithm,
                        src.handle(),
                        weights.handle(),
                        orNull(bias),
                        dst.handle(),
                        dims(scratch, strides),
                        dims(scratch, dilations),
                        dims(scratch, paddingLeft),
                        dims(scratch, paddingRight),
                        orNull(attributes)),
                src,
                weights,
                bias,
                dst);
    }

    /** Convolution's gradient with respect to its input. */
    public static DnnlPrimitiveDesc convolutionBackwardData(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc weights,
            DnnlMemoryDesc diffDst,
            long[] strides,
            long[] dilations,
            long[] paddingLeft,
            long[] paddingRight,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "convolution_backward_data",
                (scratch, out) -> dnnl_h.dnnl_convolution_backward_data_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        diffSrc.handle(),
                        weights.handle(),
                        diffDst.handle(),
                        dims(scratch, strides),
                        dims(scratch, dilations),
                        dims(scratch, paddingLeft),
                        dims(scratch, paddingRight),
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                weights,
                diffDst);
    }

    /** Convolution's gradient with respect to its weights and bias. */
    public static DnnlPrimitiveDesc convolutionBackwardWeights(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc diffWeights,
            DnnlMemoryDesc diffBias,
            DnnlMemoryDesc diffDst,
            long[] strides,
            long[] dilations,
            long[] paddingLeft,
            long[] paddingRight,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "convolution_backward_weights",
                (scratch, out) -> dnnl_h.dnnl_convolution_backward_weights_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        src.handle(),
                        diffWeights.handle(),
                        orNull(diffBias),
                        diffDst.handle(),
                        dims(scratch, strides),
                        dims(scratch, dilations),
                        dims(scratch, paddingLeft),
                        dims(scratch, paddingRight),
                        orNull(hint),
                        orNull(attributes)),
                src,
                diffWeights,
                diffBias,
                diffDst);
    }

    /** Matrix product of the last two dimensions, batched over those before, broadcast where one is 1. */
    public static DnnlPrimitiveDesc matmul(
            DnnlEngine engine,
            DnnlMemoryDesc src,
            DnnlMemoryDesc weights,
            DnnlMemoryDesc bias,
            DnnlMemoryDesc dst,
            DnnlAttributes attributes) {
        return create(
                "matmul",
                (scratch, out) -> dnnl_h.dnnl_matmul_primitive_desc_create(
                        out,
                        engine.handle(),
                        src.handle(),
                        weights.handle(),
                        orNull(bias),
                        dst.handle(),
                        orNull(attributes)),
                src,
                weights,
                bias,
                dst);
    }

    /** Inner product (a fully connected layer), forward. */
    public static DnnlPrimitiveDesc innerProductForward(
            DnnlEngine engine,
            int propKind,
            DnnlMemoryDesc src,
            DnnlMemoryDesc weights,
            DnnlMemoryDesc bias,
            DnnlMemoryDesc dst,
            DnnlAttributes attributes) {
        return create(
                "inner_product_forward",
                (scratch, out) -> dnnl_h.dnnl_inner_product_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        src.handle(),
                        weights.handle(),
                        orNull(bias),
                        dst.handle(),
                        orNull(attributes)),
                src,
                weights,
                bias,
                dst);
    }

    /** Inner product's gradient with respect to its input. */
    public static DnnlPrimitiveDesc innerProductBackwardData(
            DnnlEngine engine,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc weights,
            DnnlMemoryDesc diffDst,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "inner_product_backward_data",
                (scratch, out) -> dnnl_h.dnnl_inner_product_backward_data_primitive_desc_create(
                        out,
                        engine.handle(),
                        diffSrc.handle(),
                        weights.handle(),
                        diffDst.handle(),
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                weights,
                diffDst);
    }

    /** Inner product's gradient with respect to its weights and bias. */
    public static DnnlPrimitiveDesc innerProductBackwardWeights(
            DnnlEngine engine,
            DnnlMemoryDesc src,
            DnnlMemoryDesc diffWeights,
            DnnlMemoryDesc diffBias,
            DnnlMemoryDesc diffDst,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "inner_product_backward_weights",
                (scratch, out) -> dnnl_h.dnnl_inner_product_backward_weights_primitive_desc_create(
                        out,
                        engine.handle(),
                        src.handle(),
                        diffWeights.handle(),
                        orNull(diffBias),
                        diffDst.handle(),
                        orNull(hint),
                        orNull(attributes)),
                src,
                diffWeights,
                diffBias,
                diffDst);
    }

    /** Pooling, forward. */
    public static DnnlPrimitiveDesc poolingForward(
            DnnlEngine engine,
            int propKind,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            long[] strides,
            long[] kernel,
            long[] dilations,
            long[] paddingLeft,
            long[] paddingRight,
            DnnlAttributes attributes) {
        return create(
                "pooling_forward",
                (scratch, out) -> dnnl_h.dnnl_pooling_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        algorithm,
                        src.handle(),
                        dst.handle(),
                        dims(scratch, strides),
                        dims(scratch, kernel),
                        dims(scratch, dilations),
                        dims(scratch, paddingLeft),
                        dims(scratch, paddingRight),
                        orNull(attributes)),
                src,
                dst);
    }

    /** Pooling's gradient. */
    public static DnnlPrimitiveDesc poolingBackward(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc diffDst,
            long[] strides,
            long[] kernel,
            long[] dilations,
            long[] paddingLeft,
            long[] paddingRight,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "pooling_backward",
                (scratch, out) -> dnnl_h.dnnl_pooling_backward_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        diffSrc.handle(),
                        diffDst.handle(),
                        dims(scratch, strides),
                        dims(scratch, kernel),
                        dims(scratch, dilations),
                        dims(scratch, paddingLeft),
                        dims(scratch, paddingRight),
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                diffDst);
    }

    /** Batch normalization, forward; {@code flags} are {@code dnnl_use_scale} and others, or-ed. */
    public static DnnlPrimitiveDesc batchNormalizationForward(
            DnnlEngine engine,
            int propKind,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            float epsilon,
            int flags,
            DnnlAttributes attributes) {
        return create(
                "batch_normalization_forward",
                (scratch, out) -> dnnl_h.dnnl_batch_normalization_forward_primitive_desc_create(
                        out, engine.handle(), propKind, src.handle(), dst.handle(), epsilon, flags, orNull(attributes)),
                src,
                dst);
    }

    /** Batch normalization's gradient; {@code propKind} says whether also that of scale and shift. */
    public static DnnlPrimitiveDesc batchNormalizationBackward(
            DnnlEngine engine,
            int propKind,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc diffDst,
            DnnlMemoryDesc src,
            float epsilon,
            int flags,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "batch_normalization_backward",
                (scratch, out) -> dnnl_h.dnnl_batch_normalization_backward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        diffSrc.handle(),
                        diffDst.handle(),
                        src.handle(),
                        epsilon,
                        flags,
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                diffDst,
                src);
    }

    /** Layer normalization over the last dimension, forward. */
    public static DnnlPrimitiveDesc layerNormalizationForward(
            DnnlEngine engine,
            int propKind,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            DnnlMemoryDesc statistics,
            float epsilon,
            int flags,
            DnnlAttributes attributes) {
        return create(
                "layer_normalization_forward",
                (scratch, out) -> dnnl_h.dnnl_layer_normalization_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        src.handle(),
                        dst.handle(),
                        orNull(statistics),
                        epsilon,
                        flags,
                        orNull(attributes)),
                src,
                dst,
                statistics);
    }

    /** Layer normalization's gradient; {@code propKind} says whether also that of scale and shift. */
    public static DnnlPrimitiveDesc layerNormalizationBackward(
            DnnlEngine engine,
            int propKind,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc diffDst,
            DnnlMemoryDesc src,
            DnnlMemoryDesc statistics,
            float epsilon,
            int flags,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "layer_normalization_backward",
                (scratch, out) -> dnnl_h.dnnl_layer_normalization_backward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        diffSrc.handle(),
                        diffDst.handle(),
                        src.handle(),
                        orNull(statistics),
                        epsilon,
                        flags,
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                diffDst,
                src,
                statistics);
    }

    /** Softmax or its logarithm along an axis, forward. */
    public static DnnlPrimitiveDesc softmaxForward(
            DnnlEngine engine,
            int propKind,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            int axis,
            DnnlAttributes attributes) {
        return create(
                "softmax_forward",
                (scratch, out) -> dnnl_h.dnnl_softmax_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        algorithm,
                        src.handle(),
                        dst.handle(),
                        axis,
                        orNull(attributes)),
                src,
                dst);
    }

    /** Softmax's gradient, from its result. */
    public static DnnlPrimitiveDesc softmaxBackward(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc diffDst,
            DnnlMemoryDesc dst,
            int axis,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "softmax_backward",
                (scratch, out) -> dnnl_h.dnnl_softmax_backward_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        diffSrc.handle(),
                        diffDst.handle(),
                        dst.handle(),
                        axis,
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                diffDst,
                dst);
    }

    /** An elementwise function, forward. */
    public static DnnlPrimitiveDesc eltwiseForward(
            DnnlEngine engine,
            int propKind,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            float alpha,
            float beta,
            DnnlAttributes attributes) {
        return create(
                "eltwise_forward",
                (scratch, out) -> dnnl_h.dnnl_eltwise_forward_primitive_desc_create(
                        out,
                        engine.handle(),
                        propKind,
                        algorithm,
                        src.handle(),
                        dst.handle(),
                        alpha,
                        beta,
                        orNull(attributes)),
                src,
                dst);
    }

    /** An elementwise function's gradient; {@code data} is its input, or its result for the {@code use_dst} algorithms. */
    public static DnnlPrimitiveDesc eltwiseBackward(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc diffSrc,
            DnnlMemoryDesc diffDst,
            DnnlMemoryDesc data,
            float alpha,
            float beta,
            DnnlPrimitiveDesc hint,
            DnnlAttributes attributes) {
        return create(
                "eltwise_backward",
                (scratch, out) -> dnnl_h.dnnl_eltwise_backward_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        diffSrc.handle(),
                        diffDst.handle(),
                        data.handle(),
                        alpha,
                        beta,
                        orNull(hint),
                        orNull(attributes)),
                diffSrc,
                diffDst,
                data);
    }

    /** An elementwise function of two operands, the second broadcast where its dimension is 1. */
    public static DnnlPrimitiveDesc binary(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc src0,
            DnnlMemoryDesc src1,
            DnnlMemoryDesc dst,
            DnnlAttributes attributes) {
        return create(
                "binary",
                (scratch, out) -> dnnl_h.dnnl_binary_primitive_desc_create(
                        out,
                        engine.handle(),
                        algorithm,
                        src0.handle(),
                        src1.handle(),
                        dst.handle(),
                        orNull(attributes)),
                src0,
                src1,
                dst);
    }

    /** A reduction over the dimensions that are 1 in {@code dst} and not in {@code src}. */
    public static DnnlPrimitiveDesc reduction(
            DnnlEngine engine,
            int algorithm,
            DnnlMemoryDesc src,
            DnnlMemoryDesc dst,
            float p,
            float epsilon,
            DnnlAttributes attributes) {
        return create(
                "reduction",
                (scratch, out) -> dnnl_h.dnnl_reduction_primitive_desc_create(
                        out, engine.handle(), algorithm, src.handle(), dst.handle(), p, epsilon, orNull(attributes)),
                src,
                dst);
    }

    /** A copy to another layout or data type. */
    public static DnnlPrimitiveDesc reorder(
            DnnlEngine engine, DnnlMemoryDesc src, DnnlMemoryDesc dst, DnnlAttributes attributes) {
        return create(
                "reorder",
                (scratch, out) -> dnnl_h.dnnl_reorder_primitive_desc_create(
                        out, src.handle(), engine.handle(), dst.handle(), engine.handle(), orNull(attributes)),
                src,
                dst);
    }

    /** The sum of operands, each times its scale; {@code dst} may be {@code null} for oneDNN to choose. */
    public static DnnlPrimitiveDesc sum(
            DnnlEngine engine, DnnlMemoryDesc dst, float[] scales, DnnlMemoryDesc[] srcs, DnnlAttributes attributes) {
        if (scales.length != srcs.length) {
            throw new IllegalArgumentException(scales.length + " scales for " + srcs.length + " operands");
        }
        return create(
                "sum",
                (scratch, out) -> dnnl_h.dnnl_sum_primitive_desc_create(
                        out,
                        engine.handle(),
                        orNull(dst),
                        srcs.length,
                        scratch.allocateFrom(JAVA_FLOAT, scales),
                        pointers(scratch, srcs),
                        orNull(attributes)),
                srcs);
    }

    /** The operands one after the other along an axis; {@code dst} may be {@code null} for oneDNN to choose. */
    public static DnnlPrimitiveDesc concat(
            DnnlEngine engine, DnnlMemoryDesc dst, int axis, DnnlMemoryDesc[] srcs, DnnlAttributes attributes) {
        return create(
                "concat",
                (scratch, out) -> dnnl_h.dnnl_concat_primitive_desc_create(
                        out,
                        engine.handle(),
                        orNull(dst),
                        srcs.length,
                        axis,
                        pointers(scratch, srcs),
                        orNull(attributes)),
                srcs);
    }

    private static MemorySegment pointers(SegmentAllocator scratch, DnnlMemoryDesc[] descs) {
        var array = scratch.allocate(ADDRESS, descs.length);
        for (int i = 0; i < descs.length; i++) {
            array.setAtIndex(ADDRESS, i, descs[i].handle());
        }
        return array;
    }

    /**
     * Returns the layout of an execution argument as this implementation wants it, to be closed by the caller; of no
     * dimensions and 0 bytes where it has no such argument.
     *
     * @param argument its number, such as {@code DNNL_ARG_WEIGHTS} or {@code DNNL_ARG_SCRATCHPAD}
     */
    public DnnlMemoryDesc argument(int argument) {
        var borrowed = dnnl_h.dnnl_primitive_desc_query_md(handle(), dnnl_h.dnnl_query_exec_arg_md(), argument);
        if (borrowed.address() == 0) {
            throw new IllegalArgumentException("oneDNN knows no execution argument of number " + argument);
        }
        return DnnlMemoryDesc.copyOf(borrowed);
    }

    /** The name of the implementation, such as {@code brgconv:avx512_core}. */
    public String implementation() {
        try (var scratch = Arena.ofConfined()) {
            var result = scratch.allocate(ADDRESS);
            Dnnl.check(
                    "dnnl_primitive_desc_query",
                    dnnl_h.dnnl_primitive_desc_query(handle(), dnnl_h.dnnl_query_impl_info_str(), 0, result));
            var text = NativeMemory.segment(result.get(ADDRESS, 0).address(), Long.MAX_VALUE);
            return text.getString(0);
        }
    }

    /** Goes on to oneDNN's next implementation of the same operation; false, and no change, if there is none. */
    public boolean nextImplementation() {
        int status = dnnl_h.dnnl_primitive_desc_next_impl(handle());
        if (status == dnnl_h.dnnl_last_impl_reached()) {
            return false;
        }
        Dnnl.check("dnnl_primitive_desc_next_impl", status);
        return true;
    }
}
