package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is fused with products, and what is not. */
class FusedProductsTest {
    private static final Pattern EPILOGUE = Pattern.compile("epilogue=(\\w+)");

    private final RecordingDriver driver = new RecordingDriver();
    private final RecordingLibraries libraries = new RecordingLibraries(driver);
    private final CudaDevice device = new CudaDevice("cuda:0", driver, libraries, driver, new DeviceOptions(1));
    private final Graph graph = new Graph();

    @AfterEach
    void close() {
        device.close();
    }

    private static Value gelu(Value x, boolean exact) {
        Expr e = Expr.arg(0);
        Expr inner = e.add(e.mul(e).mul(e).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
        return x.map(e.mul(0.5).mul((exact ? e.mul(Math.sqrt(0.5)).erf() : inner.tanh()).add(1)));
    }

    private List<String> products() {
        device.compile(graph);
        // Every step runs twice: first plainly, then captured.
        return driver.take().stream()
                .dropWhile(line -> !line.startsWith("begin capture"))
                .filter(line -> line.startsWith("call Product["))
                .toList();
    }

    /** The epilogues of a program's products, in order. */
    private List<String> epilogues() {
        return products().stream()
                .map(EPILOGUE::matcher)
                .filter(Matcher::find)
                .map(matcher -> matcher.group(1))
                .toList();
    }

    /** Two layers of a type and what everybody wants of them in training. */
    private Value record(DType dtype, int hidden, UnaryOperator<Value> activation, boolean train) {
        Value x = graph.input("x", dtype, 4, 6), w1 = graph.input("w1", dtype, hidden, 6);
        Value b1 = graph.input("b1", dtype, hidden), w2 = graph.input("w2", dtype, 3, hidden);
        Value b2 = graph.input("b2", dtype, 3);
        Value before = x.matmul(w1, false, true).add(b1);
        Value loss = activation
                .apply(before)
                .matmul(w2, false, true)
                .add(b2)
                .square()
                .sum(0, 1);
        graph.output("loss", loss);
        if (train) {
            List<Value> gradients = Autodiff.gradients(loss, List.of(w1, b1, w2, b2));
            for (int i = 0; i < 4; i++) {
                graph.output("g" + i, gradients.get(i).mul(2));
            }
        }
        return before;
    }

    private static final List<String> RELU = List.of("RELU_AUX_BIAS", "BIAS", "DRELU_BGRAD", "BGRAD_A", "NONE");

    private static List<String> sorted(List<String> list) {
        return list.stream().sorted().toList();
    }

    @Test
    void reluInTraining() {
        record(DType.F32, 5, Value::relu, true);
        assertEquals(sorted(RELU), sorted(epilogues()));
    }

    @Test
    void reluAlone() {
        record(DType.F32, 5, Value::relu, false);
        assertEquals(List.of("RELU_BIAS", "BIAS"), epilogues());
    }

    @Test
    void geluInTraining() {
        record(DType.F32, 16, x -> gelu(x, false), true);
        List<String> want =
                RELU.stream().map(name -> name.replace("RELU", "GELU")).toList();
        assertEquals(sorted(want), sorted(epilogues()));
    }

    /** What GELU leaves for its gradient has rows of whole 8 elements. */
    @Test
    void geluOfFiveColumns() {
        record(DType.F32, 5, x -> gelu(x, false), true);
        assertEquals(sorted(List.of("BIAS", "BIAS", "BGRAD_A", "BGRAD_A", "NONE")), sorted(epilogues()));
    }

    @Test
    void geluOfFiveColumnsAlone() {
        record(DType.F32, 5, x -> gelu(x, false), false);
        assertEquals(List.of("GELU_BIAS", "BIAS"), epilogues());
    }

    /** No library has GELU with the error function. */
    @Test
    void exactGelu() {
        record(DType.F32, 16, x -> gelu(x, true), true);
        assertEquals(sorted(List.of("BIAS", "BIAS", "BGRAD_A", "BGRAD_A", "NONE")), sorted(epilogues()));
    }

    /** Where an F32 bias is added to a product of 16 bits, that is made in F32 with it. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void halfProductsAddAnF32Bias(DType half) {
        Value x = graph.input("x", DType.F32, 2, 4, 6), w = graph.input("w", DType.F32, 5, 6);
        Value b = graph.input("b", DType.F32, 5);
        graph.output(
                "y",
                x.reshape(8, 6)
                        .cast(half)
                        .matmul(w.cast(half), false, true)
                        .cast(DType.F32)
                        .add(b)
                        .reshape(2, 4, 5));
        List<String> products = products();
        assertEquals(1, products.size());
        assertTrue(products.get(0).contains("dtype=" + half + ", result=F32"), products::toString);
        assertTrue(products.get(0).contains("epilogue=BIAS"), products::toString);
    }

    /** Who reads the product for something else, too, reads its 16 bits, and so does who goes on from the sum. */
    @Test
    void otherReadersOfHalfProductsGetThem() {
        Value x = graph.input("x", DType.BF16, 4, 6), w = graph.input("w", DType.BF16, 6, 5);
        Value b = graph.input("b", DType.F32, 5);
        Value product = x.matmul(w),
                second = x.matmul(w.neg().cast(DType.BF16)),
                third = x.neg().cast(DType.BF16).matmul(w);
        graph.output("sum", product.cast(DType.F32).add(b));
        graph.output("square", product.cast(DType.F32).square());
        graph.output("narrow", second.cast(DType.F32).add(b).relu().cast(DType.BF16));
        graph.output("other", third.cast(DType.F32).add(graph.input("rows", DType.F32, 4, 1)));
        List<String> products = products();
        assertEquals(3, products.size());
        assertTrue(
                products.stream().allMatch(p -> p.contains("result=BF16") && p.contains("epilogue=NONE")),
                products::toString);
    }

    @Test
    void doublesAreNotFused() {
        record(DType.F64, 16, Value::relu, true);
        assertEquals(List.of("NONE", "NONE", "NONE", "NONE", "NONE"), epilogues());
    }

    /** Who reads what is before a ReLU gets it; before GELU it is there anyway. */
    @Test
    void whatIsBeforeAReluIsNotLost() {
        graph.output("before", record(DType.F32, 16, Value::relu, true));
        assertEquals(sorted(List.of("BIAS", "BIAS", "NONE", "BGRAD_A", "BGRAD_A")), sorted(epilogues()));
    }

    @Test
    void whatIsBeforeAReluIsReadByAnother() {
        Value before = record(DType.F32, 16, Value::relu, true);
        graph.output("energy", before.square().sum(0));
        assertEquals(sorted(List.of("BIAS", "BIAS", "NONE", "BGRAD_A", "BGRAD_A")), sorted(epilogues()));
    }

    @Test
    void whatIsBeforeGeluIsReadByAnother() {
        Value before = record(DType.F32, 16, x -> gelu(x, false), true);
        graph.output("energy", before.square().sum(0));
        List<String> want =
                RELU.stream().map(name -> name.replace("RELU", "GELU")).toList();
        assertEquals(sorted(want), sorted(epilogues()));
    }

    /** The gradient before the activation, as a capture of curvature reads it, is what the fused product makes. */
    @Test
    void theGradientBeforeAReluIsThere() {
        Value before = record(DType.F32, 16, Value::relu, true);
        Value gradient =
                Autodiff.gradients(graph.outputs().get("loss"), List.of(before)).get(0);
        graph.output("curvature", gradient.square().mean(0));
        assertEquals(sorted(RELU), sorted(epilogues()));
    }

    /** Whose gradient behind the ReLU somebody reads, asks the ReLU's result for the slope. */
    @Test
    void theGradientBehindAReluIsRead() {
        Value x = graph.input("x", DType.F32, 4, 6), w = graph.input("w", DType.F32, 6, 5);
        Value dy = graph.input("dy", DType.F32, 4, 3), v = graph.input("v", DType.F32, 5, 3);
        Value before = x.matmul(w), after = before.relu(), behind = dy.matmul(v, false, true);
        graph.output("after", after);
        graph.output("behind", behind);
        Value gradient =
                Autodiff.vjp(List.of(after), List.of(behind), List.of(before)).get(0);
        graph.output("gradient", gradient.matmul(w, false, true));
        assertEquals(List.of("RELU", "NONE", "NONE"), epilogues());
    }

    /** Where the libraries have no such product. */
    @Test
    void whatLibrariesLackIsDoneBehind() {
        libraries.only = List.of("BIAS", "RELU_BIAS", "DRELU");
        record(DType.F32, 16, Value::relu, true);
        assertEquals(sorted(List.of("RELU_BIAS", "BIAS", "NONE", "NONE", "NONE")), sorted(epilogues()));
    }

    @Test
    void withoutSumsTheSlopeIsStillFused() {
        libraries.only = List.of("BIAS", "RELU_AUX_BIAS", "DRELU");
        record(DType.F32, 16, Value::relu, true);
        assertEquals(sorted(List.of("RELU_AUX_BIAS", "BIAS", "DRELU", "NONE", "NONE")), sorted(epilogues()));
    }
}
