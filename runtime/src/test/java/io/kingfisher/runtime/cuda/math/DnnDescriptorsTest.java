package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cudnn.generated.cudnn_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.MathLibraries.Attention;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.cuda.math.MathLibraries.Pass;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.graph.Convolution;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Gives the operations of our graphs to the real cuDNN, which checks the attributes, their types and the shapes of an
 * operation without a GPU; what needs one is to put them together into a graph and to choose an engine.
 */
class DnnDescriptorsTest {
    @BeforeAll
    static void cudnn() {
        var report = CudaLibrary.CUDNN.report();
        assumeTrue(report.found().isPresent(), report::toString);
    }

    private static void accepts(DnnGraph graph) {
        long before = NativeHandle.live();
        try (var objects = new DnnObjects()) {
            graph.operations().forEach(objects::make);
            assertTrue(NativeHandle.live() >= before + graph.operations().size(), graph::what);
        }
        assertEquals(before, NativeHandle.live(), graph::what);
    }

    private static Conv conv(Pass pass, DType dtype, boolean channelsLast, int groups) {
        return new Conv(
                pass,
                dtype,
                Precision.TF32,
                new Convolution(2, 1, 1, 0, 1, 2, groups),
                Shape.of(2, 8, 9, 10),
                Shape.of(16, 8 / groups, 3, 2),
                channelsLast,
                true);
    }

    @Test
    void convolutions() {
        for (var pass : Pass.values()) {
            for (var dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.F16)) {
                for (boolean channelsLast : new boolean[] {true, false}) {
                    accepts(ConvGraph.of(conv(pass, dtype, channelsLast, 1)));
                    accepts(ConvGraph.of(conv(pass, dtype, channelsLast, 4)));
                }
            }
        }
    }

    @Test
    void attention() {
        for (var dtype : List.of(DType.BF16, DType.F16)) {
            for (boolean causal : new boolean[] {true, false}) {
                for (long keys : new long[] {17, 64}) {
                    var attention = new Attention(dtype, 2, 3, 64, keys, 32, 0.25, causal);
                    accepts(AttentionGraph.forward(attention));
                    accepts(AttentionGraph.backward(attention));
                }
            }
        }
    }

    /** The check itself: cuDNN refuses a tensor without its type, and says so. */
    @Test
    void whatIsWrongIsRefused() {
        long before = NativeHandle.live();
        try (var objects = new DnnObjects()) {
            var tensor = new Descriptor(
                    cudnn_h.CUDNN_BACKEND_TENSOR_DESCRIPTOR(),
                    new Descriptor.Attribute.Longs(cudnn_h.CUDNN_ATTR_TENSOR_UNIQUE_ID(), List.of(1L)));
            var e = assertThrows(NativeException.class, () -> objects.make(tensor));
            assertEquals("cudnnBackendFinalize", e.function());
            assertTrue(e.statusName().startsWith("CUDNN_STATUS_BAD_PARAM"), e::getMessage);
        }
        assertEquals(before, NativeHandle.live());
    }
}
