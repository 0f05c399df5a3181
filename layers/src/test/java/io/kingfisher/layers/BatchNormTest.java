package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** The running statistics are libtorch's, pass by pass. */
class BatchNormTest {
    @Test
    void runningStatisticsFollowTheBatches() {
        Given x = Given.normal(61, 4, 3, 2, 2).map(v -> 2 * v + 1);
        try (Run run = new Run();
                PointerScope _ = new PointerScope()) {
            BatchNorm2d layer = new BatchNorm2d(3);
            layer.initialize(run.device, 1);
            Recording r = run.train();
            Value batch = run.given(x);
            // Two micro-batches in one replay are two passes.
            run.output("first", layer.apply(r, batch));
            run.output("second", layer.apply(r, batch.slice(0, 0, 2)));
            Tensor mean = Torch.tensor(new double[3], Shape.of(3));
            Tensor variance = Torch.tensor(new double[] {1, 1, 1}, Shape.of(3));
            Tensor t = Torch.tensor(x.values(), x.shape());
            for (int step = 1; step <= 3; step++) {
                run.replay();
                LayersTest.batchNorm(null, null, mean, variance, t, true);
                LayersTest.batchNorm(null, null, mean, variance, t.narrow(0, 0, 2), true);
                Against.close(
                        "mean",
                        Torch.doubles(mean),
                        layer.runningMean().tensor().doubles());
                Against.close(
                        "variance",
                        Torch.doubles(variance),
                        layer.runningVariance().tensor().doubles());
                assertEquals(2 * step, layer.batches().tensor().item());
            }
        }
    }

    @Test
    void passesAreCountedBeyondWhatAFloatCounts() {
        try (Run run = new Run()) {
            BatchNorm2d layer = new BatchNorm2d(1);
            layer.initialize(run.device, 1);
            layer.batches().tensor().set(0, 1 << 25);
            layer.apply(run.train(), run.given(Given.normal(62, 2, 1, 1, 1)));
            run.replay();
            assertEquals((1 << 25) + 1, layer.batches().tensor().item());
        }
    }

    @Test
    void refusesASingleNumberPerChannelInTraining() {
        try (Run run = new Run()) {
            BatchNorm2d layer = new BatchNorm2d(2);
            layer.initialize(run.device, 1);
            Value x = run.graph.input("x", DType.F32, 1, 2, 1, 1);
            var error = assertThrows(KingfisherException.class, () -> layer.apply(run.train(), x));
            assertTrue(error.getMessage().contains("larger batch"), error.getMessage());
            layer.apply(Recording.eval(run.graph), x);
        }
    }
}
