package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Pool;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every layer's forward and backward pass agrees with libtorch's. */
class LayersTest {

    @ParameterizedTest
    @CsvSource({"1, 3, 5", "4, 7, 1", "6, 1, 9"})
    void linear(int batch, int in, int out) {
        Against.check(
                new Linear(in, out),
                (p, x) -> torch.linear(x.get(0), p.get("weight"), Torch.some(p.get("bias"))),
                Given.normal(1, batch, in));
    }

    @Test
    void linearWithoutBiasOverPositions() {
        Against.check(
                new Linear(5, 4, false), (p, x) -> torch.linear(x.get(0), p.get("weight")), Given.normal(1, 2, 3, 5));
    }

    @ParameterizedTest
    @CsvSource({
        // batch, in, out, kernel, stride, padding, dilation, groups, bias
        "1, 3, 4, 3,3, 1,1, 1,1, 1,1, 1, true",
        "2, 3, 5, 3,2, 2,1, 1,0, 1,1, 1, false",
        "3, 4, 6, 3,3, 1,2, 2,3, 2,3, 2, true",
        "2, 5, 5, 3,3, 1,1, 1,1, 1,1, 5, true",
        "2, 2, 6, 1,1, 2,2, 0,0, 1,1, 1, false",
        "1, 6, 4, 5,5, 1,1, 2,2, 1,1, 2, false",
    })
    void conv2d(
            int batch,
            int in,
            int out,
            int kh,
            int kw,
            int sh,
            int sw,
            int ph,
            int pw,
            int dh,
            int dw,
            int groups,
            boolean bias) {
        Against.check(
                new Conv2d(in, out, kh, kw, new Convolution(sh, sw, ph, pw, dh, dw, groups), bias),
                (p, x) -> torch.conv2d(
                        x.get(0),
                        p.get("weight"),
                        Torch.some(p.get("bias")),
                        new long[] {sh, sw},
                        new long[] {ph, pw},
                        new long[] {dh, dw},
                        groups),
                Given.normal(2, batch, in, 9, 7));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void batchNorm2d(boolean train) {
        BatchNorm2d layer = new BatchNorm2d(3);
        Against.check(
                layer,
                train ? Recording.Mode.TRAIN : Recording.Mode.EVAL,
                (r, x) -> layer.apply(r, x.get(0)),
                (p, x) -> batchNorm(
                        p.get("weight"), p.get("bias"), p.get("running_mean"), p.get("running_var"), x.get(0), train),
                Given.normal(3, 4, 3, 5, 2).map(v -> 3 * v + 1));
    }

    static Tensor batchNorm(Tensor weight, Tensor bias, Tensor mean, Tensor variance, Tensor x, boolean train) {
        return torch.batch_norm(
                x,
                Torch.some(weight),
                Torch.some(bias),
                Torch.some(mean),
                Torch.some(variance),
                train,
                0.1,
                1e-5,
                false);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 6", "3, 4, 5", "2, 1, 33"})
    void layerNorm(int batch, int length, int width) {
        Against.check(
                new LayerNorm(width),
                (p, x) -> torch.layer_norm(
                        x.get(0),
                        new long[] {width},
                        Torch.some(p.get("weight")),
                        Torch.some(p.get("bias")),
                        1e-5,
                        false),
                Given.normal(4, batch, length, width).map(v -> 2 * v - 1));
    }

    @Test
    void embedding() {
        Against.check(
                new Embedding(7, 3),
                (p, x) -> torch.embedding(p.get("weight"), x.get(0)),
                Given.of(DType.I32, Shape.of(2, 5), 0, 6, 3, 3, 1, 3, 0, 2, 2, 3));
    }

    @Test
    void tiedEmbedding() {
        Embedding embedding = new Embedding(7, 3);
        Layer output = new TiedLinear(embedding);
        Against.check(
                embedding,
                Recording.Mode.TRAIN,
                (r, x) -> output.apply(r, embedding.apply(r, x.get(0)).tanh()),
                (p, x) ->
                        torch.linear(torch.embedding(p.get("weight"), x.get(0)).tanh(), p.get("weight")),
                Given.integers(5, 7, 2, 5));
    }

    @Test
    void activations() {
        Given x = Given.normal(6, 3, 11).map(v -> 3 * v);
        Against.check(Activation.relu(), (_, t) -> torch.relu(t.get(0)), x);
        Against.check(Activation.gelu(), (_, t) -> torch.gelu(t.get(0)), x);
        Against.check(Activation.geluTanh(), (_, t) -> torch.gelu(t.get(0), "tanh"), x);
        Against.check(Activation.silu(), (_, t) -> torch.silu(t.get(0)), x);
        Against.check(Activation.tanh(), (_, t) -> t.get(0).tanh(), x);
        Against.check(Activation.sigmoid(), (_, t) -> torch.sigmoid(t.get(0)), x);
        Against.check(Activation.hardswish(), (_, t) -> torch.hardswish(t.get(0)), x);
    }

    @Test
    void softmax() {
        Given x = Given.normal(7, 2, 3, 5).map(v -> 5 * v);
        for (int axis : new int[] {-1, 0, 1}) {
            Against.check(new Softmax(axis), (_, t) -> torch.softmax(t.get(0), axis), x);
        }
    }

    @Test
    void pooling() {
        Given x = Given.normal(8, 2, 3, 7, 6);
        long[] one = {1, 1};
        Against.check(
                new MaxPool2d(2),
                (_, t) ->
                        torch.max_pool2d(t.get(0), new long[] {2, 2}, new long[] {2, 2}, new long[] {0, 0}, one, false),
                x);
        Against.check(
                new MaxPool2d(new Pool.Window(3, 2, 1, 2, 1, 0)),
                (_, t) ->
                        torch.max_pool2d(t.get(0), new long[] {3, 2}, new long[] {1, 2}, new long[] {1, 0}, one, false),
                x);
        Against.check(
                new AvgPool2d(new Pool.Window(3, 2, 2, 1, 1, 1)),
                (_, t) -> torch.avg_pool2d(
                        t.get(0),
                        new long[] {3, 2},
                        new long[] {2, 1},
                        new long[] {1, 1},
                        false,
                        true,
                        new org.bytedeco.pytorch.LongOptional()),
                x);
        Against.check(new GlobalAvgPool(), (_, t) -> torch.adaptive_avg_pool2d(t.get(0), 1, 1), x);
        Against.check(new Flatten(), (_, t) -> t.get(0).flatten(1, -1), x);
    }

    @Test
    void compositions() {
        Given x = Given.normal(9, 3, 4);
        Against.check(
                new Sequential(new Linear(4, 6), Activation.tanh(), new Linear(6, 2)),
                (p, t) -> linear(p, "2", linear(p, "0", t.get(0)).tanh()),
                x);
        Against.check(
                new Residual(new Linear(4, 4)),
                (p, t) -> linear(p, "body", t.get(0)).add(t.get(0)),
                x);
        Against.check(
                new Residual(new Linear(4, 5), new Linear(4, 5)),
                (p, t) -> linear(p, "body", t.get(0)).add(linear(p, "shortcut", t.get(0))),
                x);
        Against.check(
                new Concat(1, new Linear(4, 2), new Identity(), new Linear(4, 3)),
                (p, t) -> torch.cat(new TensorVector(linear(p, "0", t.get(0)), t.get(0), linear(p, "2", t.get(0))), 1),
                x);
    }

    /** Squeeze and excitation: channels gated by what the whole image says. */
    @Test
    void gate() {
        Layer gate = new Sequential(new GlobalAvgPool(), new Conv2d(3, 3, 1, 1, 0), Activation.sigmoid());
        Against.check(
                new Multiply(new Identity(), gate),
                (p, t) -> {
                    Tensor squeezed = torch.adaptive_avg_pool2d(t.get(0), 1, 1);
                    Tensor opened = torch.conv2d(
                            squeezed,
                            p.get("1.1.weight"),
                            Torch.some(p.get("1.1.bias")),
                            new long[] {1, 1},
                            new long[] {0, 0},
                            new long[] {1, 1},
                            1);
                    return t.get(0).mul(torch.sigmoid(opened));
                },
                Given.normal(10, 2, 3, 4, 5));
    }

    private static Tensor linear(java.util.Map<String, Tensor> p, String path, Tensor x) {
        return torch.linear(x, p.get(path + ".weight"), Torch.some(p.get(path + ".bias")));
    }
}
