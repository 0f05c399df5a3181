package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.MultiheadAttentionForwardFuncOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention agrees with libtorch's. */
class AttentionTest {
    @ParameterizedTest
    @CsvSource({
        // batch, length, width, heads, causal
        "1, 1, 4, 1, false",
        "2, 5, 6, 3, false",
        "3, 4, 8, 2, true",
        "1, 7, 5, 5, true",
    })
    void withoutPadding(int batch, int length, int width, int heads, boolean causal) {
        MultiHeadAttention layer = new MultiHeadAttention(width, heads, causal);
        Against.check(
                layer,
                (p, x) -> attention(p, "", x.get(0), heads, causal, null),
                Given.normal(11, batch, length, width));
    }

    @ParameterizedTest
    @CsvSource({"false, U8", "true, U8", "true, F32"})
    void withPadding(boolean causal, DType mask) {
        MultiHeadAttention layer = new MultiHeadAttention(6, 2, causal);
        // The first position of each text is real, so that every row has something to look at.
        Given padding = Given.of(mask, Shape.of(3, 4), 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1);
        Against.check(
                layer,
                Recording.Mode.TRAIN,
                (r, x) -> layer.apply(r, x.get(0), x.get(1).detach()),
                (p, x) -> attention(p, "", x.get(0), 2, causal, x.get(1)),
                Given.normal(12, 3, 4, 6),
                padding);
    }

    /** libtorch's attention with these parameters. */
    static Tensor attention(Map<String, Tensor> p, String prefix, Tensor x, int heads, boolean causal, Tensor padding) {
        long length = x.size(1), width = x.size(2);
        MultiheadAttentionForwardFuncOptions options = new MultiheadAttentionForwardFuncOptions(
                width,
                heads,
                p.get(prefix + "in_proj_weight"),
                p.get(prefix + "in_proj_bias"),
                new Tensor(),
                new Tensor(),
                false,
                0,
                p.get(prefix + "out_proj.weight"),
                p.get(prefix + "out_proj.bias"));
        if (causal) {
            // This mask is added to the scores.
            Tensor future = torch.ones(length, length)
                    .to(ScalarType.Double)
                    .mul(new Scalar(-1e30))
                    .triu(1);
            options.attn_mask().put(future);
        }
        if (padding != null) {
            options.key_padding_mask().put(padding.detach().to(ScalarType.Bool));
        }
        Tensor rows = x.transpose(0, 1);
        return torch.multi_head_attention_forward(rows, rows, rows, options)
                .get0()
                .transpose(0, 1);
    }

    @Test
    void rowWithoutKeysIsTheMeanOfAllValues() {
        try (Device device = Against.device();
                MultiHeadAttention layer = new MultiHeadAttention(4, 2, false)) {
            layer.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.eval(graph);
            Value x = graph.input("x", DType.F32, 1, 3, 4), padding = graph.input("padding", DType.U8, 1, 3);
            graph.output("y", layer.apply(r, x, padding));
            try (Program program = device.compile(graph)) {
                program.input("x").write(Given.normal(13, 1, 3, 4).values());
                program.input("padding").fill(1);
                program.replay();
                double[] y = program.output("y").doubles();
                for (double v : y) {
                    assertTrue(Double.isFinite(v));
                }
                assertArrayEquals(
                        List.of(y[0], y[1], y[2], y[3]).stream()
                                .mapToDouble(v -> v)
                                .toArray(),
                        List.of(y[8], y[9], y[10], y[11]).stream()
                                .mapToDouble(v -> v)
                                .toArray(),
                        1e-6);
            }
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertThrows(KingfisherException.class, () -> new MultiHeadAttention(6, 4, false));
        MultiHeadAttention layer = new MultiHeadAttention(6, 2, false);
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 3, 6);
        Value mask = graph.input("mask", DType.U8, 3, 2);
        Recording r = Recording.eval(graph);
        var error = assertThrows(KingfisherException.class, () -> layer.apply(r, x, mask));
        assertTrue(error.getMessage().contains("padding mask [2x3]"), error.getMessage());
    }
}
