package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.checkpoint.Safetensors;
import io.kingfisher.train.data.Glyphs;
import io.kingfisher.train.data.Split;
import io.kingfisher.train.report.MetricsLog;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Autoencoders are scored as a straight computation in double precision scores their weights. */
class ReconstructionTest {
    private static final int TEST = 41, PIXELS = 28 * 28;

    private static final String YAML = """
            dataset: glyphs
            train_size: 96
            test_size: 41
            network: autoencoder
            model: {hidden: [12, 3]}
            loss: reconstruction
            optimizer: Adam
            init_lr: 0.01
            max_epochs: 2
            mini_batch_size: 32
            seed: 5
            """;

    @TempDir
    Path folder;

    private CommandLineRun train(String yaml) throws IOException {
        Path file = folder.resolve("a.yaml");
        Files.writeString(file, yaml);
        return CommandLineRun.of(
                "train", file.toString(), "--output", folder.resolve("out").toString());
    }

    @Test
    void theScoresAreThoseOfTheWeights() throws IOException {
        CommandLineRun run = train(YAML);
        assertEquals(0, run.code(), run.text());
        Map<String, Object> last = MetricsLog.read(folder.resolve("out/metrics.jsonl")).stream()
                .filter(record -> "epoch".equals(record.get("kind")))
                .reduce((_, b) -> b)
                .orElseThrow();
        double[] expected = expected(folder.resolve("out/checkpoints/last.safetensors"));
        assertEquals(expected[0], (double) last.get("test_loss"), 1e-4 * expected[0]);
        assertEquals(expected[1], (double) last.get("test_reconstruction_error"), 1e-4 * expected[1]);
        assertTrue((double) last.get("train_loss") > 0 && last.get("test_top1") == null, last.toString());
        assertTrue(Files.exists(folder.resolve("out/reconstruction-error.svg")));
    }

    /** The cross-entropy and the squared error of an image, averaged over the test images. */
    private static double[] expected(Path checkpoint) {
        double loss = 0, error = 0;
        try (Arena arena = Arena.ofConfined();
                Glyphs glyphs = new Glyphs(Split.TEST, 0, TEST)) {
            Safetensors file = Safetensors.read(checkpoint, arena);
            byte[] pixels = new byte[PIXELS];
            for (int n = 0; n < TEST; n++) {
                glyphs.read(n, pixels, 0);
                double[] x = new double[PIXELS];
                for (int i = 0; i < PIXELS; i++) {
                    x[i] = (pixels[i] & 0xff) / 255.0;
                }
                // 784-12-3-12-784, with sigmoids behind the first and the third layer.
                double[] h = x;
                for (int layer = 1; layer <= 4; layer++) {
                    h = linear(h, floats(file, "fc" + layer + ".weight"), floats(file, "fc" + layer + ".bias"));
                    if (layer == 1 || layer == 3) {
                        for (int i = 0; i < h.length; i++) {
                            h[i] = 1 / (1 + Math.exp(-h[i]));
                        }
                    }
                }
                for (int i = 0; i < PIXELS; i++) {
                    double p = 1 / (1 + Math.exp(-h[i]));
                    loss -= x[i] * Math.log(p) + (1 - x[i]) * Math.log(1 - p);
                    error += (p - x[i]) * (p - x[i]);
                }
            }
        }
        return new double[] {loss / TEST, error / TEST};
    }

    private static MemorySegment floats(Safetensors file, String name) {
        return file.find(name).orElseThrow().data();
    }

    private static double[] linear(double[] x, MemorySegment weight, MemorySegment bias) {
        double[] y = new double[(int) (bias.byteSize() / 4)];
        for (int o = 0; o < y.length; o++) {
            y[o] = bias.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * o);
            for (int i = 0; i < x.length; i++) {
                y[o] += x[i] * weight.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * ((long) o * x.length + i));
            }
        }
        return y;
    }

    @Test
    void theLossAndTheNetworkBelongTogether() throws IOException {
        for (String wrong : new String[] {
            YAML.replace("network: autoencoder\nmodel: {hidden: [12, 3]}", "network: lenet"),
            YAML.replace("loss: reconstruction", "loss: mse")
        }) {
            CommandLineRun run = train(wrong);
            assertEquals(1, run.code());
            assertTrue(run.text().contains("loss: the network autoencoder, and no other"), run.text());
        }
    }
}
