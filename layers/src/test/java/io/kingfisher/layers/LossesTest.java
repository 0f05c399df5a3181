package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.function.BinaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses and their gradients agree with libtorch's; the counts of right answers with a straight count. */
class LossesTest {
    private static final int MEAN = 1;

    private record Found(double mean, double sum, double count, double[] gradient) {}

    private static Found run(Loss loss, Given prediction, Given target) {
        try (Device device = Against.device()) {
            Graph graph = new Graph();
            Value x = graph.input("x", prediction.dtype(), prediction.shape().toArray());
            Value t = graph.input("t", target.dtype(), target.shape().toArray());
            LossValue value = loss.apply(Recording.train(graph), x, t);
            graph.output("mean", value.mean());
            graph.output("sum", value.sum());
            graph.output("count", value.count());
            graph.output("dx", Autodiff.gradients(value.mean(), List.of(x)).get(0));
            try (Program program = device.compile(graph)) {
                program.input("x").write(prediction.values());
                program.input("t").write(target.values());
                program.replay();
                return new Found(
                        program.output("mean").item(),
                        program.output("sum").item(),
                        program.output("count").item(),
                        program.output("dx").doubles());
            }
        }
    }

    private static void check(Loss loss, Given prediction, Given target, BinaryOperator<Tensor> oracle) {
        Found found = run(loss, prediction, target);
        try (PointerScope _ = new PointerScope()) {
            Tensor x = Torch.of(prediction.dtype(), prediction.values(), prediction.shape());
            Tensor t = Torch.of(target.dtype(), target.values(), target.shape()).detach();
            Tensor expected = oracle.apply(x, t);
            expected.backward();
            Against.close("loss", Torch.doubles(expected), new double[] {found.mean()});
            Against.close("dx", Torch.doubles(x.grad()), found.gradient());
        }
        assertEquals(found.mean(), found.sum() / found.count(), 1e-6 * Math.abs(found.mean()));
    }

    @ParameterizedTest
    @CsvSource({"1, 2, 0", "5, 7, 0", "5, 7, 0.1", "3, 1, 0.3"})
    void crossEntropy(int rows, int classes, double smoothing) {
        Given logits = Given.normal(21, rows, classes).map(v -> 4 * v);
        Given labels = Given.integers(22, classes, rows);
        check(
                new CrossEntropy(smoothing, -100),
                logits,
                labels,
                (x, t) -> torch.cross_entropy_loss(x, t, new TensorOptional(), MEAN, -100, smoothing));
    }

    @ParameterizedTest
    @CsvSource({"-100, 0", "-100, 0.2", "2, 0.1"})
    void crossEntropyOfTokensWithIgnoredOnes(int ignored, double smoothing) {
        Given logits = Given.normal(23, 2, 4, 5);
        Given labels = Given.of(DType.I32, Shape.of(2, 4), 1, ignored, 4, 2, 0, ignored, ignored, 3);
        check(
                new CrossEntropy(smoothing, ignored),
                logits,
                labels,
                (x, t) -> torch.cross_entropy_loss(
                        x.reshape(8, 5), t.reshape(8), new TensorOptional(), MEAN, ignored, smoothing));
    }

    @Test
    void nothingToCountIsNoLoss() {
        Found found = run(new CrossEntropy(), Given.normal(24, 2, 3), Given.of(DType.I32, Shape.of(2), -100, -100));
        assertEquals(0, found.mean());
        assertEquals(0, found.count());
        for (double d : found.gradient()) {
            assertEquals(0, d);
        }
    }

    @Test
    void impossibleLabelIsNaN() {
        for (int label : new int[] {3, -1}) {
            Found found = run(new CrossEntropy(), Given.normal(24, 2, 3), Given.of(DType.I32, Shape.of(2), 0, label));
            assertTrue(Double.isNaN(found.mean()));
        }
    }

    @Test
    void hugeLogitsStayFinite() {
        Given logits = Given.of(DType.F32, Shape.of(2, 2), 1e4, -1e4, 300, 200);
        Found found = run(new CrossEntropy(), logits, Given.of(DType.I32, Shape.of(2), 0, 1));
        assertEquals(50, found.mean(), 1e-4);
    }

    @Test
    void meanSquaredError() {
        for (long[] shape : new long[][] {{1}, {4, 3}, {2, 3, 5}}) {
            check(new MeanSquaredError(), Given.normal(25, shape), Given.normal(26, shape), torch::mse_loss);
        }
    }

    @Test
    void binaryCrossEntropy() {
        Given p = Given.normal(27, 4, 3).map(v -> 1 / (1 + Math.exp(-v)));
        Given t = Given.normal(28, 4, 3).map(v -> 1 / (1 + Math.exp(-3 * v)));
        check(new BinaryCrossEntropy(false), p, t, torch::binary_cross_entropy);
        check(
                new BinaryCrossEntropy(true),
                Given.normal(29, 4, 3).map(v -> 6 * v),
                t,
                torch::binary_cross_entropy_with_logits);
    }

    /** Of images, say: the pixels are added up, and only images averaged. */
    @Test
    void binaryCrossEntropySummedOverSamples() {
        Given t = Given.normal(28, 4, 3, 2).map(v -> 1 / (1 + Math.exp(-3 * v)));
        check(
                new BinaryCrossEntropy(true, true),
                Given.normal(29, 4, 3, 2).map(v -> 6 * v),
                t,
                (x, y) -> torch.binary_cross_entropy_with_logits(x, y).mul(new Scalar(6)));
        Found found = run(new BinaryCrossEntropy(true, true), Given.normal(29, 4, 3, 2), t);
        assertEquals(4, found.count());
    }

    /** The Hessian of the loss of logits is the same for all targets, so that the likelihood's must be the loss's own. */
    @Test
    void likelihoodOfLogitsHasTheLossesHessian() {
        for (boolean summed : new boolean[] {false, true}) {
            try (Device device = Against.device()) {
                Graph graph = new Graph();
                Value x = graph.input("x", DType.F32, 4, 3);
                Value v = graph.input("v", DType.F32, 4, 3);
                LossValue loss = new BinaryCrossEntropy(true, summed)
                        .apply(Recording.train(graph), x, graph.input("t", DType.F32, 4, 3));
                Likelihood likelihood = loss.likelihoods().getFirst();
                Value gradient = Autodiff.gradients(loss.mean(), List.of(x)).getFirst();
                graph.output(
                        "expected",
                        Autodiff.gradients(gradient.mul(v).sum(), List.of(x)).getFirst());
                graph.output("hessian", likelihood.hessian(v).mul(0.25));
                graph.output(
                        "roots", likelihood.root(likelihood.rootTransposed(v)).mul(0.25));
                try (Program program = device.compile(graph)) {
                    program.input("x").write(Given.normal(51, 4, 3).values());
                    program.input("v").write(Given.normal(52, 4, 3).values());
                    program.input("t")
                            .write(Given.normal(53, 4, 3)
                                    .map(a -> a > 0 ? 1 : 0)
                                    .values());
                    program.replay();
                    double[] expected = program.output("expected").doubles();
                    Against.close("H v", expected, program.output("hessian").doubles());
                    Against.close("B B^T v", expected, program.output("roots").doubles());
                }
            }
        }
    }

    @Test
    void binaryCrossEntropyAtTheEnds() {
        Given t = Given.of(DType.F32, Shape.of(4), 0, 1, 0, 1);
        Found sure = run(new BinaryCrossEntropy(false), Given.of(DType.F32, Shape.of(4), 0, 1, 1, 0), t);
        assertEquals(50, sure.mean(), 1e-5);
        Found far = run(new BinaryCrossEntropy(true), Given.of(DType.F32, Shape.of(4), -200, 200, 200, -200), t);
        assertEquals(100, far.mean(), 1e-4);
        for (double d : sure.gradient()) {
            assertTrue(Double.isFinite(d));
        }
        Against.close("dx", new double[] {0, 0, 0.25, -0.25}, far.gradient());
    }

    @Test
    void microBatchesJoinToTheBigBatch() {
        try (Device device = Against.device()) {
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, 6, 3), t = graph.input("t", DType.I32, 6);
            Loss loss = new CrossEntropy();
            LossValue whole = loss.apply(r, x, t);
            LossValue joined = LossValue.join(List.of(
                    loss.apply(r, x.slice(0, 0, 2), t.slice(0, 0, 2)),
                    loss.apply(r, x.slice(0, 2, 6), t.slice(0, 2, 6))));
            graph.output("whole", whole.mean());
            graph.output("joined", joined.mean());
            graph.output("count", joined.count());
            try (Program program = device.compile(graph)) {
                program.input("x").write(Given.normal(30, 6, 3).values());
                program.input("t").write(0, -100, 2, 1, -100, -100);
                program.replay();
                assertEquals(
                        program.output("whole").item(), program.output("joined").item(), 1e-6);
                assertEquals(3, program.output("count").item());
            }
        }
        assertThrows(KingfisherException.class, () -> LossValue.join(List.of()));
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "5"})
    void correctAnswers(int k) {
        double nan = Double.NaN, inf = Double.POSITIVE_INFINITY;
        double[][] logits = {
            {3, 2, 1, 0, -1, -2}, // the first is best
            {1, 1, 1, 1, 1, 1}, // ties go to the first
            {-inf, 2, 2, 3, inf, 0},
            {nan, 1, 2, 3, 4, 5}, // a NaN beats the label
            {nan, 1, 2, 3, 4, 5},
            {5, 4, 3, 2, 1, 0}, // ignored
            {5, 4, 3, 2, 1, 0}, // impossible
        };
        int[] labels = {0, 1, 2, 5, 0, -100, 6};
        // How many others beat each label, counted by hand.
        int[] better = {0, 1, 3, 1, 99, 99, 99};
        int expected = 0;
        for (int rank : better) {
            expected += rank < k ? 1 : 0;
        }
        try (Device device = Against.device()) {
            Graph graph = new Graph();
            Value x = graph.input("x", DType.F32, 7, 6), t = graph.input("t", DType.I32, 7);
            graph.output("correct", new CrossEntropy().correct(x, t, k));
            try (Program program = device.compile(graph)) {
                program.input("x")
                        .write(java.util.Arrays.stream(logits)
                                .flatMapToDouble(java.util.Arrays::stream)
                                .toArray());
                program.input("t").write(labels);
                program.replay();
                assertEquals(expected, program.output("correct").item());
            }
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        Graph graph = new Graph();
        Recording r = Recording.train(graph);
        Value x = graph.input("x", DType.F32, 4, 3), y = graph.input("y", DType.F32, 3, 1);
        Value t = graph.input("t", DType.I32, 3);
        assertThrows(KingfisherException.class, () -> new CrossEntropy().apply(r, x, t));
        assertThrows(KingfisherException.class, () -> new CrossEntropy().correct(x, t, 1));
        assertThrows(KingfisherException.class, () -> new CrossEntropy(1, 0));
        // Broadcasting would hide a mistake.
        Value wide = graph.input("wide", DType.F32, 3, 3);
        assertThrows(KingfisherException.class, () -> new MeanSquaredError().apply(r, wide, y));
        assertThrows(KingfisherException.class, () -> new BinaryCrossEntropy(true).apply(r, wide, y));
    }
}
