package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which calls curvature makes of NVIDIA's libraries. */
class CurvatureCallsTest {
    private static final Conv2dWeightGrad KERNEL =
            new Conv2dWeightGrad(new Convolution(1, 1, 1, 1, 1, 1, 1), Shape.of(4, 3, 3, 3));

    private final RecordingDriver driver = new RecordingDriver();
    private final CudaDevice device = new CudaDevice(
            "cuda:0", driver, new RecordingLibraries(driver), driver, new DeviceOptions(1).withTf32(true));
    private final Graph graph = new Graph();

    @AfterEach
    void close() {
        device.close();
    }

    /** What is called, once each: a program runs plainly before it is captured. */
    private List<String> calls() {
        device.compile(graph);
        return driver.take().stream()
                .filter(line -> line.startsWith("call "))
                .map(line -> line.substring(0, line.indexOf(" workspace ")))
                .distinct()
                .toList();
    }

    /** A factor is a product of a matrix with its own transposed: half of it is computed, in F32. */
    @Test
    void factorsAreSyrk() {
        Value a = graph.input("a", DType.F32, 8, 3), b = graph.input("b", DType.F32, 1, 8, 3);
        graph.output("A", a.matmul(a, true, false));
        graph.output("B", b.matmul(b, false, true));
        List<String> calls = calls();
        assertEquals(2, calls.size(), calls::toString);
        assertTrue(calls.stream().allMatch(call -> call.startsWith("call SelfProduct[dtype=F32")), calls::toString);
    }

    /** Where other products may round their factors to TF32, curvature does not. */
    @Test
    void curvatureIsNotRounded() {
        Value x = graph.input("x", DType.F32, 4, 3), y = graph.input("y", DType.F32, 3, 5);
        Value image = graph.input("image", DType.F32, 2, 3, 6, 6), dy = graph.input("dy", DType.F32, 2, 4, 6, 6);
        graph.output("xy", x.matmul(y));
        graph.output("dw", graph.add(KERNEL, image, dy).output(0));
        List<String> calls = calls();
        assertTrue(calls.size() == 2 && calls.stream().allMatch(call -> call.contains("TF32")), calls::toString);
    }

    @Test
    void curvatureOfTheSameIsNotRounded() {
        Value x = graph.input("x", DType.F32, 4, 3), y = graph.input("y", DType.F32, 3, 5);
        Value image = graph.input("image", DType.F32, 2, 3, 6, 6), dy = graph.input("dy", DType.F32, 2, 4, 6, 6);
        try (Graph.Scope _ = graph.curvature("fc1.weight")) {
            graph.output("xy", x.matmul(y));
            graph.output("dw", graph.add(KERNEL, image, dy).output(0));
        }
        List<String> calls = calls();
        assertTrue(
                calls.size() == 2 && calls.stream().allMatch(call -> call.contains("precision=FP32")), calls::toString);
        assertTrue(calls.stream().noneMatch(call -> call.contains("channelsLast=true")), calls::toString);
    }

    /** Matrices of one shape go to cuSOLVER in one call. */
    @Test
    void equalShapesAreOneCall() {
        for (int i = 0; i < 3; i++) {
            Value a = graph.input("a" + i, DType.F32, 1, 4, 4);
            graph.output("l" + i, graph.add(new LinearAlgebra.Cholesky(), a).output(0));
        }
        graph.output(
                "other",
                graph.add(new LinearAlgebra.Cholesky(), graph.input("b", DType.F32, 1, 5, 5))
                        .output(0));
        List<String> calls = calls();
        assertEquals(2, calls.stream().filter(call -> call.contains("Cholesky")).count(), calls::toString);
        assertTrue(calls.stream().anyMatch(call -> call.contains("operands=[[3x4x4]]")), calls::toString);
    }
}
