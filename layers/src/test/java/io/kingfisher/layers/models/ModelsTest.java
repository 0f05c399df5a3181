package io.kingfisher.layers.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Variable;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models are found by name and have the sizes and names that they should. */
class ModelsTest {
    @ParameterizedTest
    @CsvSource({
        "mlp-small, 1, 28, 101770",
        "mlp-large, 1, 28, 1863690",
        "autoencoder, 1, 28, 2837314",
        "lenet, 1, 28, 61706",
        "LeNet, 3, 32, 83126",
        "resnet18Cifar, 3, 32, 11173962",
        "ResNet18Cifar, 3, 32, 11173962",
        "resnet34Cifar, 3, 32, 21282122",
        "RESNET50_CIFAR, 3, 32, 23520842",
    })
    void imageModelsHaveTheKnownNumberOfParameters(String name, int channels, int side, long count) {
        assertEquals(
                count,
                Models.create(name, Shape.of(channels, side, side), 10, Map.of())
                        .parameterCount());
    }

    /** 784-12-9-12-784: each unit listens to 15 others, or to all where there are fewer; biases begin with 0. */
    @Test
    void autoencoderBeginsSparse() {
        try (Device device = Device.open("cpu");
                Layer model = Models.create("autoencoder", Shape.of(1, 28, 28), 10, Map.of("hidden", List.of(20, 9)))) {
            model.initialize(device, 3);
            long[][] expected = {{20, 784, 15}, {9, 20, 15}, {20, 9, 9}, {784, 20, 15}};
            for (int i = 0; i < expected.length; i++) {
                Variable weight = model.variables().get(2 * i),
                        bias = model.variables().get(2 * i + 1);
                assertEquals(Shape.of(expected[i][0], expected[i][1]), weight.shape());
                assertEquals(0, bias.tensor().doubles()[0]);
                double[] values = weight.tensor().doubles();
                for (int row = 0; row < expected[i][0]; row++) {
                    int from = row * (int) expected[i][1];
                    assertEquals(
                            expected[i][2],
                            Arrays.stream(values, from, from + (int) expected[i][1])
                                    .filter(v -> v != 0)
                                    .count());
                }
                double variance = Arrays.stream(values).map(v -> v * v).sum() / (expected[i][0] * expected[i][2]);
                assertEquals(1, variance, 5 * Math.sqrt(2.0 / (expected[i][0] * expected[i][2])));
            }
            Graph graph = new Graph();
            var logits = model.apply(Recording.eval(graph), graph.input("x", DType.F32, 3, 1, 28, 28));
            assertEquals(Shape.of(3, 784), logits.shape());
        }
    }

    @Test
    void gptHasTheKnownNumberOfParameters() {
        long v = 65, t = 128, d = 192, depth = 3;
        long expected = v * d + t * d + depth * (4 * d * d + 4 * d + 8 * d * d + 5 * d + 4 * d) + 2 * d;
        Map<String, Object> sizes = Map.of("width", 192, "depth", 3, "heads", 6, "tied", true);
        assertEquals(
                expected, Models.create("gpt-mini", Shape.of(128), 65, sizes).parameterCount());
        Map<String, Object> untied = Map.of("width", 192, "depth", 3, "heads", 6, "dropout", 0.1);
        assertEquals(
                expected + v * d,
                Models.create("GPT-mini", Shape.of(128), 65, untied).parameterCount());
    }

    /** Nothing is summed over texts before curvature sees it, so that splitting a batch changes no curvature. */
    @Test
    void everyCaptureOfTheGptHasARowForEachTokenOfEachText() {
        try (Device device = Device.open("reference")) {
            Layer gpt = Models.create("gpt-mini", Shape.of(5), 7, Map.of("width", 8, "depth", 1, "heads", 2));
            gpt.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            gpt.apply(r, graph.input("x", DType.I32, 3, 4));
            assertEquals(8 + 2, r.captures().size());
            for (Capture capture : r.captures()) {
                assertEquals(
                        List.of(3L, 4L),
                        List.of(capture.s().dim(0), capture.s().dim(1)),
                        capture.weight().path());
            }
        }
    }

    /** The keys of torchvision's resnet18 and resnet50. */
    @Test
    void resnetsUseTorchvisionsNames() {
        List<String> small = paths("resnet18Cifar");
        assertEquals(122, small.size());
        assertEquals(
                List.of(
                        "conv1.weight",
                        "bn1.weight",
                        "bn1.bias",
                        "bn1.running_mean",
                        "bn1.running_var",
                        "bn1.num_batches_tracked",
                        "layer1.0.conv1.weight",
                        "layer1.0.bn1.weight"),
                small.subList(0, 8));
        assertTrue(small.containsAll(List.of(
                "layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var", "layer4.1.bn2.bias", "fc.bias")));
        List<String> large = paths("resnet50Cifar");
        assertEquals(320, large.size());
        assertTrue(large.containsAll(
                List.of("layer1.0.downsample.0.weight", "layer3.5.conv3.weight", "layer4.2.bn3.weight")));
        assertEquals(218, paths("resnet34Cifar").size());
    }

    private static List<String> paths(String name) {
        Layer model = Models.create(name, Shape.of(3, 32, 32), 10, Map.of());
        return model.variables().stream().map(Variable::path).toList();
    }

    @Test
    void gptNamesItsParts() {
        Layer model = Models.create("gpt-mini", Shape.of(8), 11, Map.of("width", 8, "depth", 2, "heads", 2));
        assertEquals(
                List.of(
                        "tokens.weight",
                        "positions.weight",
                        "blocks.0.norm1.weight",
                        "blocks.0.norm1.bias",
                        "blocks.0.attention.in_proj_weight",
                        "blocks.0.attention.in_proj_bias",
                        "blocks.0.attention.out_proj.weight",
                        "blocks.0.attention.out_proj.bias",
                        "blocks.0.norm2.weight",
                        "blocks.0.norm2.bias",
                        "blocks.0.mlp.fc1.weight",
                        "blocks.0.mlp.fc1.bias",
                        "blocks.0.mlp.fc2.weight",
                        "blocks.0.mlp.fc2.bias"),
                model.parameters().subList(0, 14).stream().map(Variable::path).toList());
        assertEquals("head.weight", model.parameters().getLast().path());
    }

    @ParameterizedTest
    @CsvSource({
        "resnet18, did you mean resnet18Cifar",
        "mlp, did you mean mlp-large",
        "lenett, did you mean lenet",
        "VGG16, There is no model 'VGG16'",
    })
    void unknownModelsNameTheNearest(String name, String message) {
        assertError(message, () -> Models.create(name, Shape.of(3, 32, 32), 10, Map.of()));
    }

    @Test
    void badSizesAreRefused() {
        Shape text = Shape.of(16), image = Shape.of(1, 28, 28);
        assertError("did you mean width", () -> Models.create("gpt-mini", text, 9, Map.of("widht", 8)));
        assertError("'depth'", () -> Models.create("gpt-mini", text, 9, Map.of("depth", 2.5)));
        assertError("'depth'", () -> Models.create("gpt-mini", text, 9, Map.of("depth", 0)));
        assertError("'tied'", () -> Models.create("gpt-mini", text, 9, Map.of("tied", "yes")));
        assertError("'dropout'", () -> Models.create("gpt-mini", text, 9, Map.of("dropout", 1)));
        assertError("heads", () -> Models.create("gpt-mini", text, 9, Map.of("width", 10, "heads", 4)));
        assertError("'hidden'", () -> Models.create("mlp-small", image, 9, Map.of("hidden", 5)));
        assertError("'hidden'", () -> Models.create("mlp-small", image, 9, Map.of("hidden", List.of(5, "x"))));
        assertError("there are none", () -> Models.create("lenet", image, 9, Map.of("width", 5)));
        assertError("at least one class", () -> Models.create("lenet", image, 0, Map.of()));
        assertError("12x12", () -> Models.create("lenet", Shape.of(1, 8, 28), 9, Map.of()));
        assertError("[C x H x W]", () -> Models.create("resnet18Cifar", text, 9, Map.of()));
        assertError("[T] tokens", () -> Models.create("gpt-mini", image, 9, Map.of()));
        assertEquals(
                784 * 5 + 5 + 5 * 7 + 7 + 7 * 10 + 10,
                Models.create("mlp-small", image, 10, Map.of("hidden", List.of(5, 7)))
                        .parameterCount());
    }

    private static void assertError(String part, org.junit.jupiter.api.function.Executable create) {
        String message = assertThrows(KingfisherException.class, create).getMessage();
        assertTrue(message.contains(part), message);
    }
}
