package io.kingfisher.nativebindings.dnnl;

import static io.kingfisher.nativebindings.dnnl.generated.dnnl_h.*;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every factory, with shapes of which no two agree, so that an argument in another's place would be refused. */
class DnnlPrimitiveDescTest {
    private static final long[] STRIDES = {2, 1};
    private static final long[] DENSE = {0, 0};
    private static final long[] PADDING = {1, 2};

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final DnnlEngine engine = keep(DnnlEngine.cpu());

    private <T extends AutoCloseable> T keep(T object) {
        opened.push(object);
        return object;
    }

    private DnnlMemoryDesc f32(long... dims) {
        return keep(DnnlMemoryDesc.rowMajor(dnnl_f32(), dims));
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    /** Checks the dimensions of an execution argument, and that the descriptor can be compiled. */
    private DnnlPrimitiveDesc check(DnnlPrimitiveDesc desc, int argument, long... dims) {
        keep(desc);
        assertArrayEquals(dims, keep(desc.argument(argument)).dims());
        assertFalse(desc.implementation().isEmpty());
        keep(new DnnlPrimitive(desc));
        return desc;
    }

    /** Executes on given inputs and returns the destination. */
    private float[] execute(DnnlPrimitiveDesc desc, Map<Integer, float[]> inputs) {
        try (var arena = Arena.ofConfined()) {
            var stream = keep(new DnnlStream(engine));
            var arguments = new HashMap<Integer, DnnlMemory>();
            inputs.forEach((number, values) -> arguments.put(
                    number,
                    keep(new DnnlMemory(engine, keep(desc.argument(number)), arena.allocateFrom(JAVA_FLOAT, values)))));
            var dstDesc = keep(desc.argument(DNNL_ARG_DST()));
            var dst = arena.allocate(dstDesc.bytes(), 64);
            arguments.put(DNNL_ARG_DST(), keep(new DnnlMemory(engine, dstDesc, dst)));
            keep(new DnnlPrimitive(keep(desc))).execute(stream, DnnlPrimitive.arguments(arena, arguments));
            return dst.toArray(JAVA_FLOAT);
        }
    }

    @Test
    void convolution() {
        // N=2, G=3, 6 -> 9 channels, 7x8 by 3x5 filters: 4 = (7+2-3)/2+1 rows, 8 = 8+4-5+1 columns.
        var src = f32(2, 6, 7, 8);
        var weights = f32(3, 3, 2, 3, 5);
        var bias = f32(9);
        var dst = f32(2, 9, 4, 8);
        var forward = check(
                DnnlPrimitiveDesc.convolutionForward(
                        engine,
                        dnnl_forward_training(),
                        dnnl_convolution_direct(),
                        src,
                        weights,
                        bias,
                        dst,
                        STRIDES,
                        DENSE,
                        PADDING,
                        PADDING,
                        null),
                DNNL_ARG_BIAS(),
                9);
        check(
                DnnlPrimitiveDesc.convolutionBackwardData(
                        engine,
                        dnnl_convolution_direct(),
                        src,
                        weights,
                        dst,
                        STRIDES,
                        DENSE,
                        PADDING,
                        PADDING,
                        forward,
                        null),
                DNNL_ARG_DIFF_SRC(),
                2,
                6,
                7,
                8);
        check(
                DnnlPrimitiveDesc.convolutionBackwardWeights(
                        engine,
                        dnnl_convolution_direct(),
                        src,
                        weights,
                        bias,
                        dst,
                        STRIDES,
                        DENSE,
                        PADDING,
                        PADDING,
                        forward,
                        null),
                DNNL_ARG_DIFF_WEIGHTS(),
                3,
                3,
                2,
                3,
                5);
    }

    @Test
    void innerProduct() {
        var src = f32(5, 7);
        var weights = f32(3, 7);
        var bias = f32(3);
        var dst = f32(5, 3);
        var forward = check(
                DnnlPrimitiveDesc.innerProductForward(engine, dnnl_forward_training(), src, weights, bias, dst, null),
                DNNL_ARG_WEIGHTS(),
                3,
                7);
        check(
                DnnlPrimitiveDesc.innerProductBackwardData(engine, src, weights, dst, forward, null),
                DNNL_ARG_DIFF_SRC(),
                5,
                7);
        check(
                DnnlPrimitiveDesc.innerProductBackwardWeights(engine, src, weights, bias, dst, forward, null),
                DNNL_ARG_DIFF_BIAS(),
                3);
    }

    @Test
    void pooling() {
        var src = f32(2, 3, 7, 8);
        var dst = f32(2, 3, 4, 8);
        long[] kernel = {3, 5};
        var forward = check(
                DnnlPrimitiveDesc.poolingForward(
                        engine,
                        dnnl_forward_training(),
                        dnnl_pooling_max(),
                        src,
                        dst,
                        STRIDES,
                        kernel,
                        DENSE,
                        PADDING,
                        PADDING,
                        null),
                DNNL_ARG_DST(),
                2,
                3,
                4,
                8);
        check(
                DnnlPrimitiveDesc.poolingBackward(
                        engine, dnnl_pooling_max(), src, dst, STRIDES, kernel, DENSE, PADDING, PADDING, forward, null),
                DNNL_ARG_DIFF_SRC(),
                2,
                3,
                7,
                8);
    }

    @Test
    void normalization() {
        var image = f32(2, 5, 3, 4);
        int flags = dnnl_use_scale() | dnnl_use_shift();
        var batchForward = check(
                DnnlPrimitiveDesc.batchNormalizationForward(
                        engine, dnnl_forward_training(), image, image, 1e-5f, flags, null),
                DNNL_ARG_MEAN(),
                5);
        check(
                DnnlPrimitiveDesc.batchNormalizationBackward(
                        engine, dnnl_backward(), image, image, image, 1e-5f, flags, batchForward, null),
                DNNL_ARG_DIFF_SCALE(),
                5);
        var tokens = f32(2, 3, 7);
        var statistics = f32(2, 3);
        var layerForward = check(
                DnnlPrimitiveDesc.layerNormalizationForward(
                        engine, dnnl_forward_training(), tokens, tokens, statistics, 1e-5f, flags, null),
                DNNL_ARG_VARIANCE(),
                2,
                3);
        check(
                DnnlPrimitiveDesc.layerNormalizationBackward(
                        engine, dnnl_backward(), tokens, tokens, tokens, statistics, 1e-5f, flags, layerForward, null),
                DNNL_ARG_DIFF_SHIFT(),
                7);
    }

    @Test
    void softmaxAndEltwise() {
        var data = f32(2, 3);
        var softmax = DnnlPrimitiveDesc.softmaxForward(
                engine, dnnl_forward_training(), dnnl_softmax_accurate(), data, data, 1, null);
        var zeros = execute(softmax, Map.of(DNNL_ARG_SRC(), new float[] {0, 0, 0, 5, 5, 5}));
        assertArrayEquals(new float[] {1 / 3f, 1 / 3f, 1 / 3f, 1 / 3f, 1 / 3f, 1 / 3f}, zeros, 1e-6f);
        check(
                DnnlPrimitiveDesc.softmaxBackward(engine, dnnl_softmax_accurate(), data, data, data, 1, softmax, null),
                DNNL_ARG_DIFF_SRC(),
                2,
                3);
        var linear = DnnlPrimitiveDesc.eltwiseForward(
                engine, dnnl_forward_training(), dnnl_eltwise_linear(), data, data, 2, 3, null);
        var result = execute(linear, Map.of(DNNL_ARG_SRC(), new float[] {1, 2, 3, 4, 5, 6}));
        assertArrayEquals(new float[] {5, 7, 9, 11, 13, 15}, result);
        check(
                DnnlPrimitiveDesc.eltwiseBackward(
                        engine, dnnl_eltwise_tanh(), data, data, data, 0, 0, linearHint(data), null),
                DNNL_ARG_DIFF_DST(),
                2,
                3);
    }

    private DnnlPrimitiveDesc linearHint(DnnlMemoryDesc data) {
        return keep(DnnlPrimitiveDesc.eltwiseForward(
                engine, dnnl_forward_training(), dnnl_eltwise_tanh(), data, data, 0, 0, null));
    }

    @Test
    void binaryReductionAndConcat() {
        var a = f32(2, 3);
        var row = f32(1, 3);
        var difference = DnnlPrimitiveDesc.binary(engine, dnnl_binary_sub(), a, row, a, null);
        float[] numbers = {1, 2, 3, 4, 5, 6};
        assertArrayEquals(
                new float[] {0, 0, 0, 3, 3, 3},
                execute(difference, Map.of(DNNL_ARG_SRC_0(), numbers, DNNL_ARG_SRC_1(), new float[] {1, 2, 3})));
        var sum = DnnlPrimitiveDesc.reduction(engine, dnnl_reduction_sum(), a, row, 0, 0, null);
        assertArrayEquals(new float[] {5, 7, 9}, execute(sum, Map.of(DNNL_ARG_SRC(), numbers)));
        var both = DnnlPrimitiveDesc.concat(engine, f32(3, 3), 0, new DnnlMemoryDesc[] {a, row}, null);
        assertArrayEquals(
                new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9},
                execute(both, Map.of(DNNL_ARG_MULTIPLE_SRC(), numbers, DNNL_ARG_MULTIPLE_SRC() + 1, new float[] {7, 8, 9
                })));
        assertThrows(
                IllegalArgumentException.class,
                () -> DnnlPrimitiveDesc.sum(engine, null, new float[1], new DnnlMemoryDesc[] {a, a}, null));
    }

    @Test
    void postOpsTakeTheirOperands() {
        // (A B) times a column, broadcast.
        var attributes = keep(new DnnlAttributes()
                .fpmathMode(dnnl_fpmath_mode_strict())
                .accumulationMode(dnnl_accumulation_mode_strict())
                .postOps(keep(new DnnlPostOps().binary(dnnl_binary_mul(), f32(2, 1)))));
        var product = DnnlPrimitiveDesc.matmul(engine, f32(2, 1), f32(1, 2), null, f32(2, 2), attributes);
        assertEquals(
                List.of(10f, 20f, 200f, 400f),
                toList(execute(
                        product,
                        Map.of(
                                DNNL_ARG_SRC(),
                                new float[] {1, 2},
                                DNNL_ARG_WEIGHTS(),
                                new float[] {1, 2},
                                DnnlPostOps.argument(0),
                                new float[] {10, 100}))));
    }

    private static List<Float> toList(float[] values) {
        var list = new java.util.ArrayList<Float>();
        for (float value : values) {
            list.add(value);
        }
        return list;
    }

    @Test
    void implementationsCanBeSteppedThrough() {
        var desc = keep(DnnlPrimitiveDesc.matmul(engine, f32(8, 8), f32(8, 8), null, f32(8, 8), null));
        var names = new java.util.ArrayList<String>();
        do {
            names.add(desc.implementation());
        } while (desc.nextImplementation());
        // The last one is the plain reference, which takes whatever the others refuse.
        assertTrue(names.size() > 1 && names.getLast().startsWith("ref"), names.toString());
        assertEquals(0, keep(desc.argument(DNNL_ARG_BIAS())).bytes());
    }
}
