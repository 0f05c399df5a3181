package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What layers capture is what their gradients are made of, in every way of using them. */
class CaptureTest {
    /** Records a random sum of the layer's result as loss, with a, ds and the gradients as outputs. */
    private static List<Capture> record(Run run, Layer layer, Given x) {
        layer.initialize(run.device, 3);
        Against.perturb(layer);
        Recording r = run.train();
        Value y = layer.apply(r, run.given(x));
        Value loss = y.mul(run.given(Given.normal(41, y.shape().toArray()))).sum();
        Gradients g = r.gradients(loss);
        g.parameters().forEach(p -> run.output("d " + p.path(), g.of(p)));
        for (int i = 0; i < g.captures().size(); i++) {
            run.output("a" + i, g.captures().get(i).a());
            run.output("ds" + i, g.of(g.captures().get(i)));
        }
        return g.captures();
    }

    @Test
    void linearOverPositions() {
        try (Run run = new Run()) {
            Linear layer = new Linear(4, 3);
            List<Capture> captures = record(run, layer, Given.normal(42, 2, 5, 4));
            assertEquals(1, captures.size());
            Capture.Linear capture = assertInstanceOf(Capture.Linear.class, captures.get(0));
            assertSame(layer, capture.layer());
            assertSame(layer.weight(), capture.weight());
            assertSame(layer.bias().orElseThrow(), capture.bias().orElseThrow());
            assertEquals(10, capture.rows());
            assertEquals(Shape.of(10, 3), capture.matrix(capture.s()).shape());
            run.replay();
            Against.close("weight", run.get("d weight"), Run.outer(run.get("ds0"), 3, run.get("a0"), 4));
            Against.close("bias", run.get("d bias"), Run.outer(run.get("ds0"), 3, ones(10), 1));
        }
    }

    private static double[] ones(int n) {
        double[] result = new double[n];
        java.util.Arrays.fill(result, 1);
        return result;
    }

    @Test
    void convolutionByPatches() {
        try (Run run = new Run()) {
            int n = 2, c = 4, h = 7, w = 6, o = 6, kh = 3, kw = 2;
            Convolution window = new Convolution(2, 1, 1, 2, 2, 3, 2);
            Conv2d layer = new Conv2d(c, o, kh, kw, window, true);
            Capture.Conv2d capture = (Capture.Conv2d)
                    record(run, layer, Given.normal(43, n, c, h, w)).get(0);
            assertEquals(window, capture.window());
            Shape s = capture.s().shape();
            run.replay();
            double[] a = run.get("a0"), ds = run.get("ds0");
            double[] weight = new double[o * c / 2 * kh * kw], bias = new double[o];
            for (int i = 0; i < ds.length; i++) {
                int v = i % s.size(3), u = i / s.size(3) % s.size(2);
                int out = i / (s.size(3) * s.size(2)) % o, sample = i / (s.size(3) * s.size(2) * o);
                bias[out] += ds[i];
                for (int k = 0; k < c / 2 * kh * kw; k++) {
                    int in = k / (kh * kw) + out / (o / 2) * (c / 2);
                    int y = u * 2 - 1 + k / kw % kh * 2, z = v - 2 + k % kw * 3;
                    if (y >= 0 && y < h && z >= 0 && z < w) {
                        weight[out * (c / 2 * kh * kw) + k] += ds[i] * a[((sample * c + in) * h + y) * w + z];
                    }
                }
            }
            Against.close("weight", run.get("d weight"), weight);
            Against.close("bias", run.get("d bias"), bias);
        }
    }

    @Test
    void batchNorm() {
        try (Run run = new Run()) {
            List<Capture> captures = record(run, new BatchNorm2d(3), Given.normal(44, 4, 3, 2, 3));
            Capture.BatchNorm2d capture = (Capture.BatchNorm2d) captures.get(0);
            run.output("h", capture.normalized().transpose(0, 2, 3, 1));
            run.replay();
            double[] h = run.get("h"), ds = run.get("ds0");
            double[] weight = new double[3], bias = new double[3];
            for (int i = 0; i < ds.length; i++) {
                int place = i % 6, channel = i / 6 % 3, sample = i / 18;
                weight[channel] += ds[i] * h[(sample * 6 + place) * 3 + channel];
                bias[channel] += ds[i];
            }
            Against.close("weight", run.get("d weight"), weight);
            Against.close("bias", run.get("d bias"), bias);
        }
    }

    @Test
    void layerNorm() {
        try (Run run = new Run()) {
            List<Capture> captures = record(run, new LayerNorm(5), Given.normal(45, 2, 3, 5));
            run.output("h", ((Capture.LayerNorm) captures.get(0)).normalized());
            run.replay();
            double[] h = run.get("h"), ds = run.get("ds0"), weight = new double[5];
            for (int i = 0; i < ds.length; i++) {
                weight[i % 5] += ds[i] * h[i];
            }
            Against.close("weight", run.get("d weight"), weight);
        }
    }

    @Test
    void embedding() {
        try (Run run = new Run()) {
            List<Capture> captures = record(run, new Embedding(5, 3), Given.integers(46, 5, 2, 4));
            assertTrue(captures.get(0).bias().isEmpty());
            run.replay();
            double[] index = run.get("a0"), ds = run.get("ds0"), weight = new double[15];
            for (int i = 0; i < ds.length; i++) {
                weight[(int) index[i / 3] * 3 + i % 3] += ds[i];
            }
            Against.close("weight", run.get("d weight"), weight);
        }
    }

    @Test
    void attentionHasOneForEachProjection() {
        try (Run run = new Run()) {
            MultiHeadAttention layer = new MultiHeadAttention(4, 2, true);
            List<Capture> captures = record(run, layer, Given.normal(47, 2, 3, 4));
            assertEquals(2, captures.size());
            assertSame(layer, captures.get(0).layer());
            assertSame(layer.out(), captures.get(1).layer());
            run.replay();
            Against.close("in", run.get("d in_proj_weight"), Run.outer(run.get("ds0"), 12, run.get("a0"), 4));
            Against.close("out", run.get("d out_proj.weight"), Run.outer(run.get("ds1"), 4, run.get("a1"), 4));
        }
    }

    @Test
    void reusedLayerCapturesEachUse() {
        try (Run run = new Run()) {
            Linear shared = new Linear(4, 4);
            Layer model = new Sequential(shared, Activation.tanh(), shared);
            List<Capture> captures = record(run, model, Given.normal(48, 3, 4));
            assertEquals(2, captures.size());
            assertSame(captures.get(0).weight(), captures.get(1).weight());
            assertEquals(
                    List.of("0.weight", "0.bias"),
                    model.parameters().stream().map(Variable::path).toList());
            run.replay();
            double[] first = Run.outer(run.get("ds0"), 4, run.get("a0"), 4);
            double[] second = Run.outer(run.get("ds1"), 4, run.get("a1"), 4);
            Against.close("weight", run.get("d 0.weight"), Run.sum(first, second));
        }
    }

    @Test
    void tiedOutputCapturesBothUses() {
        try (Run run = new Run()) {
            Embedding embedding = new Embedding(5, 3);
            Layer model = new Sequential(embedding, new TiedLinear(embedding));
            List<Capture> captures = record(run, model, Given.integers(49, 5, 2, 3));
            assertInstanceOf(Capture.Embedding.class, captures.get(0));
            assertInstanceOf(Capture.Linear.class, captures.get(1));
            assertSame(captures.get(0).weight(), captures.get(1).weight());
            run.replay();
            double[] lookup = new double[15], index = run.get("a0"), ds = run.get("ds0");
            for (int i = 0; i < ds.length; i++) {
                lookup[(int) index[i / 3] * 3 + i % 3] += ds[i];
            }
            double[] output = Run.outer(run.get("ds1"), 5, run.get("a1"), 3);
            Against.close("weight", run.get("d 0.weight"), Run.sum(lookup, output));
        }
    }

    @Test
    void microBatchesAreTheBigBatch() {
        try (Run run = new Run()) {
            Layer model = new Sequential(
                    new Conv2d(2, 3, 3, 1, 1), Activation.gelu(), new Flatten(), new LayerNorm(48), new Linear(48, 4));
            model.initialize(run.device, 3);
            Value x = run.given(Given.normal(50, 5, 2, 4, 4)), t = run.given(Given.integers(51, 4, 5));
            CrossEntropy loss = new CrossEntropy(0.1, -100);
            Recording big = run.train();
            Gradients whole = big.gradients(loss.apply(big, model.apply(big, x), t));
            Recording small = run.train();
            List<LossValue> parts = new ArrayList<>();
            for (int from : new int[] {0, 3}) {
                int to = from == 0 ? 3 : 5;
                Value logits = model.apply(small, x.slice(0, from, to));
                parts.add(loss.apply(small, logits, t.slice(0, from, to)));
            }
            Gradients joined = small.gradients(LossValue.join(parts));
            assertEquals(2 * whole.captures().size(), joined.captures().size());
            assertEquals(5, whole.parameters().size() - 1);
            for (Parameter p : model.parameters()) {
                run.output("big " + p.path(), whole.of(p));
                run.output("small " + p.path(), joined.of(p));
                assertEquals(
                        p.name().equals("weight") ? 2 : 0, joined.captures(p).size());
            }
            Capture last = whole.captures().getLast();
            run.output("big ds", whole.of(last));
            List<Capture> lasts = joined.captures(last.weight());
            run.output(
                    "small ds",
                    run.graph.concat(0, lasts.stream().map(joined::of).toList()));
            run.output("count", joined.count().orElseThrow());
            run.replay();
            for (Parameter p : model.parameters()) {
                Against.close(p.path(), run.get("big " + p.path()), run.get("small " + p.path()));
            }
            Against.close("ds", run.get("big ds"), run.get("small ds"));
            assertEquals(5, run.get("count")[0]);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Recording.Mode.class,
            names = {"EVAL", "PROBE"})
    void otherModesAreSilent(Recording.Mode mode) {
        try (Run run = new Run()) {
            Layer model = new Sequential(
                    new Conv2d(2, 3, 3, 1, 1), new BatchNorm2d(3), new Flatten(), new Linear(48, 4), new LayerNorm(4));
            model.initialize(run.device, 3);
            List<Capture> seen = new ArrayList<>();
            model.onCapture((_, capture, _) -> seen.add(capture));
            Recording r = Recording.of(run.graph, mode, run.state);
            Value y = model.apply(r, run.given(Given.normal(52, 3, 2, 4, 4)));
            Gradients g = r.gradients(y.square().sum());
            assertTrue(r.captures().isEmpty());
            assertTrue(g.captures().isEmpty());
            assertTrue(seen.isEmpty());
            assertTrue(run.graph.assignments().isEmpty());
            assertEquals(model.parameters().size(), g.parameters().size());
        }
    }

    @Test
    void hooksMayReduceOutputAndAssign() {
        try (Run run = new Run()) {
            Linear first = new Linear(4, 3), second = new Linear(3, 2);
            Layer model = new Sequential(first, Activation.tanh(), second);
            model.initialize(run.device, 3);
            Tensor kept = run.device.allocate(DType.F32, Shape.of(3));
            List<String> order = new ArrayList<>();
            first.onCapture((r, capture, ds) -> {
                order.add("first");
                r.graph().assign(kept, ds.square().sum(0));
                r.graph().output("a of first", capture.a());
            });
            model.onCapture(
                    (_, capture, _) -> order.add("any " + capture.layer().path()));
            Recording r = run.train();
            Value y = model.apply(r, run.given(Given.normal(53, 5, 4)));
            Gradients g = r.gradients(y.square().sum());
            assertEquals(List.of("first", "any 0", "any 2"), order);
            run.output("ds", g.of(g.captures().get(0)));
            run.replay();
            double[] ds = run.get("ds"), squares = new double[3];
            for (int i = 0; i < ds.length; i++) {
                squares[i % 3] += ds[i] * ds[i];
            }
            Against.close("kept", squares, kept.doubles());
            assertEquals(20, run.get("a of first").length);
        }
    }

    @Test
    void frozenParametersHaveNeitherCaptureNorGradient() {
        try (Run run = new Run()) {
            Linear first = new Linear(4, 3), second = new Linear(3, 2);
            Layer model = new Sequential(first, second);
            model.initialize(run.device, 3);
            first.parameters().forEach(p -> p.trainable(false));
            Recording r = run.train();
            Gradients g = r.gradients(
                    model.apply(r, run.given(Given.normal(54, 5, 4))).sum());
            assertEquals(
                    List.of("1.weight", "1.bias"),
                    g.parameters().stream().map(Variable::path).toList());
            assertEquals(1, g.captures().size());
            var error = assertThrows(KingfisherException.class, () -> g.of(first.weight()));
            assertTrue(error.getMessage().contains("0.weight"), error.getMessage());
        }
    }

    @Test
    void capturesOfOtherRecordingsAreRefused() {
        try (Run run = new Run()) {
            Linear layer = new Linear(4, 3);
            layer.initialize(run.device, 3);
            Value x = run.given(Given.normal(55, 5, 4));
            Recording one = run.train(), two = run.train();
            Gradients g = one.gradients(layer.apply(one, x).sum());
            two.gradients(layer.apply(two, x).sum());
            assertNotSame(one.captures().get(0), two.captures().get(0));
            assertThrows(KingfisherException.class, () -> g.of(two.captures().get(0)));
        }
    }
}
