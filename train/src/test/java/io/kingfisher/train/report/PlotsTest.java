package io.kingfisher.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class PlotsTest {
    @TempDir
    private Path folder;

    /** A run as it might have been, with noise in its batches. */
    private static List<Map<String, Object>> records(int epochs) {
        var random = new Random(1);
        var records = new ArrayList<Map<String, Object>>();
        for (int epoch = 1; epoch <= epochs; epoch++) {
            for (int step = 0; step < 40; step++) {
                double at = epoch - 1 + step / 40.0;
                double loss = 0.05 + 2.2 * Math.exp(-at) * (1 + 0.2 * random.nextGaussian());
                records.add(new StepRecord((epoch - 1) * 400L + 10L * step, at, loss, 1e-3).toMap());
            }
            double miss = 0.4 * Math.exp(-epoch) + 0.008;
            records.add(new EpochRecord(
                            epoch,
                            400L * epoch,
                            Scores.ofClasses(0.04 + 2 * Math.exp(-epoch), 1 - 1.2 * miss, OptionalDouble.empty()),
                            Scores.ofClasses(0.06 + 2 * Math.exp(-epoch), 1 - miss, OptionalDouble.of(1 - miss / 10)),
                            1e-3,
                            3,
                            4,
                            epoch)
                    .toMap());
        }
        return records;
    }

    /** Where the sample plots stay to be looked at. */
    private static final Path SAMPLES = Path.of("target", "sample-plots");

    private void check(String name) throws Exception {
        BufferedImage png = ImageIO.read(folder.resolve(name + ".png").toFile());
        var colours = new HashSet<Integer>();
        for (int y = 0; y < png.getHeight(); y += 2) {
            for (int x = 0; x < png.getWidth(); x += 2) {
                colours.add(png.getRGB(x, y));
            }
        }
        assertTrue(colours.contains(0xFF0072B2) && colours.contains(0xFFD55E00), "both curves are drawn");
        assertEquals(0xFFFFFFFF, png.getRGB(0, 0));
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        var svg =
                factory.newDocumentBuilder().parse(folder.resolve(name + ".svg").toFile());
        assertEquals("svg", svg.getDocumentElement().getTagName());
        assertTrue(svg.getElementsByTagName("path").getLength() > 10, "words and curves are paths");
    }

    @Test
    void lossAndAccuracyAreDrawn() throws Exception {
        RunPlots.write(folder, "lenet on glyphs, AdaFisher", records(5));
        RunPlots.write(SAMPLES, "lenet on glyphs, AdaFisher", records(5));
        check("loss");
        check("accuracy");
        assertFalse(Files.exists(folder.resolve("perplexity.png")));
    }

    @Test
    void aLanguageModelHasPerplexityInsteadOfAccuracy() throws Exception {
        var records = new ArrayList<Map<String, Object>>();
        for (int epoch = 1; epoch <= 3; epoch++) {
            Scores scores = Scores.ofTokens(3.0 / epoch, 0.3);
            records.add(new EpochRecord(epoch, epoch, scores, scores, 1, 1, 1, 1).toMap());
        }
        RunPlots.write(folder, "gpt-mini on text", records);
        check("perplexity");
        assertFalse(Files.exists(folder.resolve("accuracy.png")));
    }

    @Test
    void oddRunsAreDrawnToo() throws IOException {
        RunPlots.write(folder, "nothing", List.of());
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
        RunPlots.write(folder, "one epoch", records(1));
        RunPlots.write(SAMPLES.resolve("one"), "one epoch", records(1));
        assertTrue(Files.exists(folder.resolve("loss.png")));
        var diverged = new ArrayList<Map<String, Object>>();
        for (int epoch = 1; epoch <= 3; epoch++) {
            double loss = epoch == 2 ? Double.NaN : epoch == 3 ? Double.POSITIVE_INFINITY : 1;
            Scores scores = Scores.ofClasses(loss, 0.1, OptionalDouble.empty());
            diverged.add(new EpochRecord(epoch, epoch, scores, scores, 1, 1, 1, 1).toMap());
        }
        RunPlots.write(folder, "diverged", diverged);
        var zero = List.of(new Curve("zero", new double[] {0, 1}, new double[] {0, 0}, Curve.Style.PLAIN));
        new CurvePlot("zero", "x", "y", false, zero).write(folder, "zero");
        assertTrue(Files.exists(folder.resolve("zero.png")));
        var far = List.of(new Curve("far", new double[] {0, 1, 2}, new double[] {1e3, 1, 1e-3}, Curve.Style.PLAIN));
        new CurvePlot("far", "x", "y", false, far).write(folder, "far");
        new CurvePlot("far", "x", "y", false, far).write(SAMPLES, "far");
        assertTrue(Files.exists(folder.resolve("far.png")));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Curve("odd", new double[1], new double[2], Curve.Style.PLAIN));
    }

    /** The labels of the x axis are whole numbers, which must not keep the plot from being drawn where x has none. */
    @Test
    @Timeout(60)
    void anyRangeOfXIsDrawn() {
        double[][] ranges = {
            {0.5}, {0.2, 0.8}, {0.5, 1.5}, {3, 3}, {1e6, 1e6 + 0.5}, {0, 1e9}, {-2.5, 1e-7}, {1, 1.0001}
        };
        for (double[] x : ranges) {
            double[] y = x.clone();
            var curve = new Curve("a", x, y, Curve.Style.PLAIN);
            new CurvePlot("range", "x", "y", false, List.of(curve)).write(folder, "range" + x[0]);
            assertTrue(Files.exists(folder.resolve("range" + x[0] + ".png")));
        }
    }

    @Test
    @Timeout(60)
    void aLongRunIsDrawn() {
        RunPlots.write(SAMPLES.resolve("long"), "200 epochs", records(200));
        assertTrue(Files.exists(SAMPLES.resolve("long/loss.png")));
    }
}
