package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.models.Models;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Value;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products in half precision round their factors and results once, and nothing else. */
class PrecisionTest {
    private static double bf16(double x) {
        return Float.intBitsToFloat(Tensor.toBf16((float) x) << 16);
    }

    private static double[] bf16(double[] x) {
        return java.util.Arrays.stream(x).map(PrecisionTest::bf16).toArray();
    }

    /** left [m x k] times right [k x n], rounded once. */
    private static double[] product(double[] left, double[] right, int m, int k, int n) {
        double[] result = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += left[i * k + l] * right[l * n + j];
                }
                result[i * n + j] = bf16(sum);
            }
        }
        return result;
    }

    private static double[] transposed(double[] x, int rows, int columns) {
        double[] result = new double[x.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                result[j * rows + i] = x[i * columns + j];
            }
        }
        return result;
    }

    /** Sums in another order may fall on the other side of a rounding boundary: one place of BF16. */
    private static void near(double[] expected, double[] got, String what) {
        assertEquals(expected.length, got.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], got[i], Math.abs(expected[i]) * 0x1p-7 + 1e-6, what + " at " + i);
        }
    }

    @Test
    void linearLayer() {
        int rows = 5, in = 7, out = 3;
        try (Run run = new Run()) {
            Linear layer = new Linear(in, out);
            layer.initialize(run.device, 4);
            Given x = Given.normal(1, rows, in), ds = Given.normal(2, rows, out);
            Recording r = run.train().precision(Precision.BF16);
            Value input = run.given(x);
            Value s = layer.apply(r, input);
            Gradients g = r.gradients(s.mul(run.given(ds)).sum());
            Capture capture = g.captures().get(0);
            assertEquals(DType.F32, s.dtype());
            assertEquals(DType.F32, capture.a().dtype());
            assertEquals(DType.F32, g.of(capture).dtype());
            assertEquals(DType.F32, g.of(layer.weight()).dtype());
            run.output("s", s);
            run.output("a", capture.a());
            run.output("ds", g.of(capture));
            run.output("dw", g.of(layer.weight()));
            run.output("db", g.of(layer.bias().orElseThrow()));
            run.replay();
            double[] xs = run.get("a"), w = layer.weight().tensor().doubles();
            double[] b = layer.bias().orElseThrow().tensor().doubles();
            double[] expected = product(bf16(xs), transposed(bf16(w), out, in), rows, in, out);
            for (int i = 0; i < expected.length; i++) {
                expected[i] += b[i % out];
            }
            near(expected, run.get("s"), "s");
            double[] seeds = run.get("ds");
            // What curvature sees is not rounded.
            for (int i = 0; i < seeds.length; i++) {
                assertEquals((float) ds.values()[i], seeds[i], "ds at " + i);
                assertTrue(i >= xs.length || xs[i] == (float) x.values()[i], "a at " + i);
            }
            near(product(transposed(bf16(seeds), rows, out), bf16(xs), out, rows, in), run.get("dw"), "dw");
            double[] db = new double[out];
            for (int i = 0; i < seeds.length; i++) {
                db[i % out] += seeds[i];
            }
            assertArrayEquals(db, run.get("db"), 1e-6);
        }
    }

    /**
     * Every model records, in every type; only products have the narrow one, and losses and gradients are close. A rounding
     * of 2^-9 turns about one in 2^9 units of a ReLU or a max pooling over, which changes a gradient by some 2^-4.5 for each
     * such layer; without these it is a few times 2^-9.
     */
    @ParameterizedTest
    @CsvSource({
        "mlp-small, BF16, 0.01, 0.1",
        "lenet, BF16, 0.01, 0.3",
        "resnet18Cifar, BF16, 0.05, 0.6",
        "gpt-mini, BF16, 0.01, 0.02",
        "lenet, FP16, 0.001, 0.1",
        "gpt-mini, FP16, 0.001, 0.003"
    })
    void models(String name, Precision precision, double ofLoss, double ofGradients) {
        boolean text = name.startsWith("gpt");
        Map<String, Object> sizes = text
                ? Map.of("width", 16, "depth", 2, "heads", 2)
                : name.startsWith("res") ? Map.of("width", 4) : Map.of();
        Shape sample = text ? Shape.of(6) : Shape.of(1, 16, 16);
        try (Run run = new Run()) {
            Layer model = Models.create(name, sample, 9, sizes);
            model.initialize(run.device, 1);
            Value x = run.given(text ? Given.integers(3, 9, 4, 6) : Given.normal(3, 4, 1, 16, 16));
            Value y = run.given(text ? Given.integers(5, 9, 4, 6) : Given.integers(5, 9, 4));
            for (Precision each : new Precision[] {Precision.FP32, precision}) {
                Recording r =
                        Recording.of(run.graph, Recording.Mode.PROBE, run.state).precision(each);
                int before = run.graph.nodes().size();
                Gradients g = r.gradients(new CrossEntropy().apply(r, model.apply(r, x), y));
                run.output(each + "loss", g.loss());
                model.parameters().forEach(p -> run.output(each + p.path(), g.of(p)));
                run.graph.nodes().stream().skip(before).forEach(node -> {
                    if (node.op() instanceof MatMul) {
                        DType wanted = each.products().orElse(DType.F32);
                        node.inputs().forEach(value -> assertEquals(wanted, value.dtype(), node.toString()));
                    }
                });
            }
            run.replay();
            double loss = run.get("FP32loss")[0];
            assertEquals(loss, run.get(precision + "loss")[0], ofLoss * loss);
            model.parameters().forEach(p -> {
                double[] exact = run.get("FP32" + p.path()), rounded = run.get(precision + p.path());
                double error = 0, size = 0;
                for (int i = 0; i < exact.length; i++) {
                    error += Math.pow(exact[i] - rounded[i], 2);
                    size += exact[i] * exact[i];
                }
                assertTrue(
                        Math.sqrt(error) <= ofGradients * Math.sqrt(size) + 1e-7,
                        p.path() + " is off by " + Math.sqrt(error / size));
            });
        }
    }

    @Test
    void isSetBeforeAnythingIsRecorded() {
        try (Run run = new Run()) {
            Linear layer = new Linear(2, 2);
            layer.initialize(run.device, 4);
            Recording r = run.train();
            layer.apply(r, run.given(Given.normal(1, 3, 2)));
            assertThrows(KingfisherException.class, () -> r.precision(Precision.BF16));
            assertThrows(KingfisherException.class, () -> Precision.of("fp8"));
        }
    }
}
