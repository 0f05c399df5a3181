package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.models.Models;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole models agree with libtorch, every parameter's gradient included. Both sides compute in double precision here, so
 * that rounding through twenty normalisations cannot hide a wrong connection.
 */
class WholeModelTest {
    private static void check(Layer model, Recording.Mode mode, Against.Oracle oracle, Given x) {
        try (Device device = Device.open("reference")) {
            Against.check(device, model, mode, (r, in) -> model.apply(r, in.get(0)), oracle, x);
        }
    }

    private static Tensor linear(Map<String, Tensor> p, String path, Tensor x) {
        return torch.linear(x, p.get(path + ".weight"), Torch.some(p.get(path + ".bias")));
    }

    private static Tensor conv(Map<String, Tensor> p, String path, Tensor x, long stride, long padding) {
        return torch.conv2d(
                x,
                p.get(path + ".weight"),
                Torch.some(p.get(path + ".bias")),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
    }

    private static Tensor pool(Tensor x) {
        return torch.max_pool2d(x, new long[] {2, 2}, new long[] {2, 2}, new long[] {0, 0}, new long[] {1, 1}, false);
    }

    @Test
    void mlp() {
        Layer model = Models.create("mlp-large", Shape.of(1, 3, 4), 5, Map.of("hidden", List.of(7, 6)));
        check(
                model,
                Recording.Mode.TRAIN,
                (p, x) -> {
                    Tensor y = torch.relu(linear(p, "fc1", x.get(0).flatten(1, -1)));
                    return linear(p, "fc3", torch.relu(linear(p, "fc2", y)));
                },
                Given.normal(81, 3, 1, 3, 4));
    }

    @ParameterizedTest
    @CsvSource({"1, 28, 28", "3, 13, 16"})
    void lenet(int channels, int height, int width) {
        check(
                Models.create("lenet", Shape.of(channels, height, width), 10, Map.of()),
                Recording.Mode.TRAIN,
                (p, x) -> {
                    Tensor y = pool(torch.relu(conv(p, "conv1", x.get(0), 1, 2)));
                    y = pool(torch.relu(conv(p, "conv2", y, 1, 0))).flatten(1, -1);
                    y = torch.relu(linear(p, "fc1", y));
                    return linear(p, "fc3", torch.relu(linear(p, "fc2", y)));
                },
                Given.normal(82, 2, channels, height, width));
    }

    @ParameterizedTest
    @CsvSource({"18, true, 16", "18, false, 8", "50, true, 16"})
    void resnet(int depth, boolean train, int side) {
        Layer model = Models.create("resnet" + depth + "Cifar", Shape.of(3, side, side), 4, Map.of("width", 2));
        check(
                model,
                train ? Recording.Mode.TRAIN : Recording.Mode.EVAL,
                (p, x) -> resnet(p, x.get(0), depth, train),
                Given.normal(83, 3, 3, side, side));
    }

    private static Tensor resnet(Map<String, Tensor> p, Tensor x, int depth, boolean train) {
        int[] blocks = depth == 18 ? new int[] {2, 2, 2, 2} : new int[] {3, 4, 6, 3};
        Tensor y = torch.relu(norm(p, "bn1", conv(p, "conv1", x, 1, 1), train));
        for (int stage = 1; stage <= 4; stage++) {
            for (int b = 0; b < blocks[stage - 1]; b++) {
                String path = "layer" + stage + "." + b + ".";
                long stride = stage > 1 && b == 0 ? 2 : 1;
                Tensor z;
                if (depth == 50) {
                    z = torch.relu(norm(p, path + "bn1", conv(p, path + "conv1", y, 1, 0), train));
                    z = torch.relu(norm(p, path + "bn2", conv(p, path + "conv2", z, stride, 1), train));
                    z = norm(p, path + "bn3", conv(p, path + "conv3", z, 1, 0), train);
                } else {
                    z = torch.relu(norm(p, path + "bn1", conv(p, path + "conv1", y, stride, 1), train));
                    z = norm(p, path + "bn2", conv(p, path + "conv2", z, 1, 1), train);
                }
                Tensor shortcut = p.containsKey(path + "downsample.0.weight")
                        ? norm(p, path + "downsample.1", conv(p, path + "downsample.0", y, stride, 0), train)
                        : y;
                y = torch.relu(z.add(shortcut));
            }
        }
        return linear(p, "fc", torch.adaptive_avg_pool2d(y, 1, 1).flatten(1, -1));
    }

    private static Tensor norm(Map<String, Tensor> p, String path, Tensor x, boolean train) {
        return LayersTest.batchNorm(
                p.get(path + ".weight"),
                p.get(path + ".bias"),
                p.get(path + ".running_mean"),
                p.get(path + ".running_var"),
                x,
                train);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void gpt(boolean tied) {
        Map<String, Object> sizes = Map.of("width", 8, "depth", 2, "heads", 2, "tied", tied);
        // The text is shorter than the context.
        check(
                Models.create("gpt-mini", Shape.of(7), 11, sizes),
                Recording.Mode.TRAIN,
                (p, x) -> gpt(p, x.get(0)),
                Given.integers(84, 11, 3, 5));
    }

    private static Tensor gpt(Map<String, Tensor> p, Tensor tokens) {
        Tensor y = torch.embedding(p.get("tokens.weight"), tokens)
                .add(p.get("positions.weight").narrow(0, 0, tokens.size(1)));
        for (int i = 0; i < 2; i++) {
            String path = "blocks." + i + ".";
            y = y.add(AttentionTest.attention(p, path + "attention.", layerNorm(p, path + "norm1", y), 2, true, null));
            Tensor inner = torch.gelu(linear(p, path + "mlp.fc1", layerNorm(p, path + "norm2", y)));
            y = y.add(linear(p, path + "mlp.fc2", inner));
        }
        Tensor head = p.getOrDefault("head.weight", p.get("tokens.weight"));
        return torch.linear(layerNorm(p, "norm", y), head);
    }

    private static Tensor layerNorm(Map<String, Tensor> p, String path, Tensor x) {
        return torch.layer_norm(
                x,
                new long[] {x.size(2)},
                Torch.some(p.get(path + ".weight")),
                Torch.some(p.get(path + ".bias")),
                1e-5,
                false);
    }

    @Test
    void gptSeesNoFuture() {
        try (Run run = new Run()) {
            Layer model = Models.create("gpt-mini", Shape.of(6), 11, Map.of("width", 8, "depth", 2, "heads", 2));
            model.initialize(run.device, 1);
            Given tokens = Given.integers(85, 11, 1, 6);
            double[] changed = tokens.values().clone();
            changed[4] = (changed[4] + 1) % 11;
            Recording r = Recording.eval(run.graph);
            run.output("y", model.apply(r, run.given(tokens)));
            run.output("z", model.apply(r, run.given(Given.of(tokens.dtype(), tokens.shape(), changed))));
            run.replay();
            double[] y = run.get("y"), z = run.get("z");
            for (int i = 0; i < 4 * 11; i++) {
                assertEquals(y[i], z[i]);
            }
            assertTrue(y[4 * 11] != z[4 * 11]);
            Value longText = run.given(Given.integers(86, 11, 1, 7));
            assertThrows(KingfisherException.class, () -> model.apply(r, longText));
        }
    }

    /** On the device that trains: one capture for each layer with parameters, and every gradient is there and finite. */
    @ParameterizedTest
    @CsvSource({"mlp-small, 2", "lenet, 5", "resnet18Cifar, 41"})
    void everyParameterIsCapturedAndTrained(String name, int layers) {
        try (Run run = new Run()) {
            Layer model =
                    Models.create(name, Shape.of(1, 16, 16), 3, name.startsWith("r") ? Map.of("width", 4) : Map.of());
            model.initialize(run.device, 1);
            Recording r = run.train();
            Value logits = model.apply(r, run.given(Given.normal(87, 4, 1, 16, 16)));
            Gradients g = r.gradients(new CrossEntropy().apply(r, logits, run.given(Given.integers(88, 3, 4))));
            assertEquals(layers, g.captures().size());
            List<Parameter> captured = new ArrayList<>();
            for (Capture capture : g.captures()) {
                captured.add(capture.weight());
                capture.bias().ifPresent(captured::add);
            }
            assertEquals(
                    model.parameters(),
                    captured.stream()
                            .sorted(java.util.Comparator.comparing(model.parameters()::indexOf))
                            .toList());
            model.parameters().forEach(p -> run.output(p.path(), g.of(p).abs().sum()));
            run.replay();
            model.parameters().forEach(p -> {
                double size = run.get(p.path())[0];
                assertTrue(size > 0 && Double.isFinite(size), p.path() + " has the gradient " + size);
            });
        }
    }
}
