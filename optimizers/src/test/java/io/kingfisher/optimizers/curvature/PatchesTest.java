package io.kingfisher.optimizers.curvature;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both ways to the products of patches, and their sums, beside patches that are really taken. */
class PatchesTest {
    @ParameterizedTest
    @CsvSource({
        "3, 1, 3, 1, 1, 1",
        "1, 1, 5, 1, 2, 1",
        "4, 2, 3, 2, 1, 1",
        "4, 4, 3, 1, 0, 2",
        "20, 1, 3, 2, 1, 1",
        "2, 1, 1, 2, 0, 1"
    })
    void productsAndSums(int channels, int groups, int kernel, int stride, int padding, int dilation) {
        int batch = 3, height = 6, width = 7, own = channels / groups, entries = own * kernel * kernel;
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Convolution window = Convolution.of(stride, padding, dilation, groups);
            Conv2d layer = new Conv2d(channels, 4, kernel, kernel, window, false);
            layer.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            layer.apply(r, graph.input("x", DType.F32, batch, channels, height, width));
            Capture.Conv2d c = (Capture.Conv2d) r.captures().get(0);
            graph.output("chosen", Patches.products(c));
            graph.output("matrix", Patches.byMatrix(c));
            graph.output("places", Patches.byPlaces(c));
            graph.output("sum", Patches.sum(c));
            graph.output("images", Patches.perImage(c));
            try (Program program = device.compile(graph)) {
                Random random = new Random(7);
                double[] x = new double[batch * channels * height * width];
                for (int i = 0; i < x.length; i++) {
                    program.input("x").set(i, random.nextGaussian());
                    x[i] = program.input("x").get(i);
                }
                program.replay();
                double[] products = new double[groups * entries * entries], sum = new double[groups * entries];
                double[] images = new double[batch * groups * entries];
                int rows = (int) c.s().dim(2), columns = (int) c.s().dim(3);
                for (int place = 0; place < batch * groups * rows * columns; place++) {
                    int q = place % columns, p = place / columns % rows, group = place / columns / rows % groups;
                    int image = place / columns / rows / groups;
                    double[] patch = new double[entries];
                    for (int i = 0; i < entries; i++) {
                        int y = p * stride + i / kernel % kernel * dilation - padding;
                        int z = q * stride + i % kernel * dilation - padding;
                        int channel = group * own + i / kernel / kernel;
                        if (y >= 0 && y < height && z >= 0 && z < width) {
                            patch[i] = x[((image * channels + channel) * height + y) * width + z];
                        }
                    }
                    for (int i = 0; i < entries; i++) {
                        sum[group * entries + i] += patch[i];
                        images[(image * groups + group) * entries + i] += patch[i];
                        for (int j = 0; j < entries; j++) {
                            products[(group * entries + i) * entries + j] += patch[i] * patch[j];
                        }
                    }
                }
                for (String way : new String[] {"chosen", "matrix", "places"}) {
                    assertArrayEquals(products, program.output(way).doubles(), 1e-4, way);
                }
                assertArrayEquals(sum, program.output("sum").doubles(), 1e-4);
                assertArrayEquals(images, program.output("images").doubles(), 1e-4);
            }
            layer.close();
        }
    }
}
