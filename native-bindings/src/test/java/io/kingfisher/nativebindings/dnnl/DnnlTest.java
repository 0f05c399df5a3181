package io.kingfisher.nativebindings.dnnl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.HeapBytes;
import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DnnlTest {
    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(7);
    private long liveBefore;

    @BeforeEach
    void count() {
        liveBefore = DnnlHandle.live();
    }

    @AfterEach
    void nothingLeaks() {
        arena.close();
        assertEquals(liveBefore, DnnlHandle.live(), "objects of oneDNN's still open");
    }

    private MemorySegment random(int elements) {
        var segment = arena.allocate(4L * Math.max(1, elements), 64);
        for (int i = 0; i < elements; i++) {
            segment.setAtIndex(JAVA_FLOAT, i, random.nextFloat() - 0.5f);
        }
        return segment;
    }

    private static void assertProduct(MemorySegment a, MemorySegment b, MemorySegment c, int m, int k, int n) {
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double expected = 0;
                for (int l = 0; l < k; l++) {
                    expected += (double) a.getAtIndex(JAVA_FLOAT, i * k + l) * b.getAtIndex(JAVA_FLOAT, l * n + j);
                }
                assertEquals(expected, c.getAtIndex(JAVA_FLOAT, i * n + j), 1e-5, "at " + i + ", " + j);
            }
        }
    }

    @Test
    void matmulAgreesWithALoop() {
        int[][] shapes = {{1, 1, 1}, {3, 5, 7}, {17, 33, 9}, {64, 1, 64}};
        for (int[] shape : shapes) {
            int m = shape[0];
            int k = shape[1];
            int n = shape[2];
            var a = random(m * k);
            var b = random(k * n);
            var c = random(m * n);
            try (var engine = DnnlEngine.cpu();
                    var stream = new DnnlStream(engine);
                    var attributes = new DnnlAttributes().userScratchpad().deterministic(true);
                    var aDesc = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), m, k);
                    var bDesc = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), k, n);
                    var cDesc = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), m, n);
                    var desc = DnnlPrimitiveDesc.matmul(engine, aDesc, bDesc, null, cDesc, attributes);
                    var scratchDesc = desc.argument(dnnl_h.DNNL_ARG_SCRATCHPAD());
                    var primitive = new DnnlPrimitive(desc);
                    var aMemory = new DnnlMemory(engine, aDesc, a);
                    var bMemory = new DnnlMemory(engine, bDesc, b);
                    var cMemory = new DnnlMemory(engine, cDesc, c);
                    var scratch = new DnnlMemory(engine, scratchDesc, random((int) scratchDesc.bytes()))) {
                var arguments = DnnlPrimitive.arguments(
                        arena,
                        Map.of(
                                dnnl_h.DNNL_ARG_SRC(), aMemory,
                                dnnl_h.DNNL_ARG_WEIGHTS(), bMemory,
                                dnnl_h.DNNL_ARG_DST(), cMemory,
                                dnnl_h.DNNL_ARG_SCRATCHPAD(), scratch));
                primitive.execute(stream, arguments);
                stream.await();
                assertProduct(a, b, c, m, k, n);
                assertFalse(desc.implementation().isEmpty());
            }
        }
    }

    @Test
    void executionAllocatesNothing() {
        int size = 8;
        try (var engine = DnnlEngine.cpu();
                var stream = new DnnlStream(engine);
                var matrix = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), size, size);
                var desc = DnnlPrimitiveDesc.matmul(engine, matrix, matrix, null, matrix, null);
                var primitive = new DnnlPrimitive(desc);
                var a = new DnnlMemory(engine, matrix, random(size * size));
                var b = new DnnlMemory(engine, matrix, random(size * size));
                var c = new DnnlMemory(engine, matrix, random(size * size))) {
            var arguments = DnnlPrimitive.arguments(
                    arena, Map.of(dnnl_h.DNNL_ARG_SRC(), a, dnnl_h.DNNL_ARG_WEIGHTS(), b, dnnl_h.DNNL_ARG_DST(), c));
            assertEquals(0, HeapBytes.ofThousandCalls(() -> primitive.execute(stream, arguments)));
        }
    }

    @Test
    void convolutionWithAChosenLayoutReordersItsWeights() {
        // 1x2x5x4 input, 3 filters of 2x3x3, stride 1, padding 1: against the definition.
        int ci = 2;
        int co = 3;
        int h = 5;
        int w = 4;
        var x = random(ci * h * w);
        var weights = random(co * ci * 9);
        var bias = random(co);
        var y = random(co * h * w);
        long[] one = {1, 1};
        try (var engine = DnnlEngine.cpu();
                var stream = new DnnlStream(engine);
                var src = DnnlMemoryDesc.tagged(dnnl_h.dnnl_f32(), new long[] {1, ci, h, w}, dnnl_h.dnnl_nchw());
                var dst = DnnlMemoryDesc.tagged(dnnl_h.dnnl_f32(), new long[] {1, co, h, w}, dnnl_h.dnnl_nchw());
                var plain = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), co, ci, 3, 3);
                var any = DnnlMemoryDesc.any(dnnl_h.dnnl_f32(), co, ci, 3, 3);
                var biasDesc = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), co);
                var relu = new DnnlPostOps().eltwise(dnnl_h.dnnl_eltwise_relu(), 0, 0);
                var attributes = new DnnlAttributes().postOps(relu);
                var desc = DnnlPrimitiveDesc.convolutionForward(
                        engine,
                        dnnl_h.dnnl_forward_training(),
                        dnnl_h.dnnl_convolution_direct(),
                        src,
                        any,
                        biasDesc,
                        dst,
                        one,
                        new long[] {0, 0},
                        one,
                        one,
                        attributes);
                var chosen = desc.argument(dnnl_h.DNNL_ARG_WEIGHTS());
                var reorderDesc = DnnlPrimitiveDesc.reorder(engine, plain, chosen, null);
                var reorder = new DnnlPrimitive(reorderDesc);
                var convolution = new DnnlPrimitive(desc);
                var plainMemory = new DnnlMemory(engine, plain, weights);
                var chosenMemory = new DnnlMemory(engine, chosen, arena.allocate(chosen.bytes(), 64));
                var xMemory = new DnnlMemory(engine, src, x);
                var biasMemory = new DnnlMemory(engine, biasDesc, bias);
                var yMemory = new DnnlMemory(engine, dst, y)) {
            reorder.execute(
                    stream,
                    DnnlPrimitive.arguments(
                            arena, Map.of(dnnl_h.DNNL_ARG_FROM(), plainMemory, dnnl_h.DNNL_ARG_TO(), chosenMemory)));
            convolution.execute(
                    stream,
                    DnnlPrimitive.arguments(
                            arena,
                            Map.of(
                                    dnnl_h.DNNL_ARG_SRC(), xMemory,
                                    dnnl_h.DNNL_ARG_WEIGHTS(), chosenMemory,
                                    dnnl_h.DNNL_ARG_BIAS(), biasMemory,
                                    dnnl_h.DNNL_ARG_DST(), yMemory)));
        }
        for (int o = 0; o < co; o++) {
            for (int i = 0; i < h; i++) {
                for (int j = 0; j < w; j++) {
                    double expected = bias.getAtIndex(JAVA_FLOAT, o);
                    for (int c = 0; c < ci; c++) {
                        for (int t = 0; t < 9; t++) {
                            int r = i + t / 3 - 1;
                            int s = j + t % 3 - 1;
                            if (r >= 0 && r < h && s >= 0 && s < w) {
                                expected += (double) x.getAtIndex(JAVA_FLOAT, (c * h + r) * w + s)
                                        * weights.getAtIndex(JAVA_FLOAT, (o * ci + c) * 9 + t);
                            }
                        }
                    }
                    assertEquals(Math.max(0, expected), y.getAtIndex(JAVA_FLOAT, (o * h + i) * w + j), 1e-5);
                }
            }
        }
    }

    @Test
    void descriptorsTellWhatTheyAre() {
        try (var desc = DnnlMemoryDesc.strided(dnnl_h.dnnl_f32(), new long[] {2, 3, 4}, new long[] {12, 1, 3});
                var copy = DnnlMemoryDesc.ofBlob(desc.blob());
                var part = desc.submemory(new long[] {1, 2, 2}, new long[] {1, 0, 1});
                var permuted = desc.permuteAxes(0, 2, 1);
                var blocked =
                        DnnlMemoryDesc.tagged(dnnl_h.dnnl_bf16(), new long[] {1, 3, 4, 4}, dnnl_h.dnnl_nChw16c());
                var reshaped = permuted.reshape(2, 12)) {
            assertArrayEquals(new long[] {2, 3, 4}, desc.dims());
            assertArrayEquals(new long[] {12, 1, 3}, desc.strides());
            assertEquals(96, desc.bytes());
            assertTrue(desc.isPlain());
            assertTrue(desc.sameAs(copy));
            assertFalse(desc.sameAs(part));
            assertArrayEquals(new long[] {1, 2, 2}, part.dims());
            assertArrayEquals(new long[] {2, 4, 3}, permuted.dims());
            assertArrayEquals(new long[] {2, 12}, reshaped.dims());
            assertFalse(blocked.isPlain());
            assertArrayEquals(new long[] {1, 16, 4, 4}, blocked.paddedDims());
            assertEquals("f32 2x3x4 strides 12,1,3", desc.toString());
        }
        assertEquals(2, Dnnl.data_type_size(dnnl_h.dnnl_bf16()));
    }

    @Test
    void aBadStatusIsAnExceptionNamedAfterTheFunction() {
        try (var engine = DnnlEngine.cpu();
                var a = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), 2, 3);
                var b = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), 4, 5);
                var c = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), 2, 5)) {
            var e = assertThrows(NativeException.class, () -> DnnlPrimitiveDesc.matmul(engine, a, b, null, c, null));
            assertEquals("dnnl_matmul_primitive_desc_create", e.function());
            assertEquals("dnnl_invalid_arguments", e.statusName());
            assertEquals(dnnl_h.dnnl_invalid_arguments(), e.status());
            assertTrue(e.getMessage().contains("f32 2x3 strides 3,1; f32 4x5"), e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> new DnnlMemory(engine, a, arena.allocate(8)));
        }
        assertThrows(NativeException.class, () -> DnnlMemoryDesc.tagged(999, new long[] {1}, dnnl_h.dnnl_a()));
        assertThrows(IllegalArgumentException.class, () -> DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), new long[13]));
    }

    @Test
    void aClosedObjectSaysSo() {
        var engine = DnnlEngine.cpu();
        engine.close();
        engine.close();
        var e = assertThrows(IllegalStateException.class, () -> new DnnlStream(engine));
        assertEquals("this DnnlEngine has been closed", e.getMessage());
    }

    @Test
    void memoryMayBeBoundLater() {
        try (var engine = DnnlEngine.cpu();
                var stream = new DnnlStream(engine);
                var desc = DnnlMemoryDesc.rowMajor(dnnl_h.dnnl_f32(), 3);
                var sum = DnnlPrimitiveDesc.sum(
                        engine, desc, new float[] {1, 2}, new DnnlMemoryDesc[] {desc, desc}, null);
                var primitive = new DnnlPrimitive(sum);
                var a = new DnnlMemory(engine, desc, MemorySegment.NULL);
                var b = new DnnlMemory(engine, desc, MemorySegment.NULL);
                var c = new DnnlMemory(engine, desc, MemorySegment.NULL);
                var block = NativeMemory.allocate(36)) {
            for (int i = 0; i < 9; i++) {
                block.segment().setAtIndex(JAVA_FLOAT, i, i);
            }
            a.setData(block.segment());
            b.setData(MemorySegment.ofAddress(block.address() + 12));
            c.setData(MemorySegment.ofAddress(block.address() + 24));
            primitive.execute(
                    stream,
                    DnnlPrimitive.arguments(
                            arena,
                            Map.of(
                                    dnnl_h.DNNL_ARG_MULTIPLE_SRC(),
                                    a,
                                    dnnl_h.DNNL_ARG_MULTIPLE_SRC() + 1,
                                    b,
                                    dnnl_h.DNNL_ARG_DST(),
                                    c)));
            assertArrayEquals(
                    new float[] {6, 9, 12}, block.segment().asSlice(24).toArray(JAVA_FLOAT));
        }
    }

    @Test
    void itSaysWhatWasLoaded() {
        var library = Libraries.dnnl();
        assertTrue(library.version().matches("3\\.\\d+\\.\\d+"), library.version());
        assertTrue(library.details().contains("OpenMP"), library.details());
        assertTrue(library.path().isAbsolute(), library.toString());
        assertTrue(Libraries.loaded().contains(library));
    }
}
