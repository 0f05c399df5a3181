package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class GlyphsTest {
    private static byte[] read(ImageDataset images, int index) {
        var pixels = new byte[images.pixelCount()];
        images.read(index, pixels, 0);
        return pixels;
    }

    @Test
    void isWhatItSaysItIs() {
        try (var train = new Glyphs(Split.TRAIN);
                var test = new Glyphs(Split.TEST)) {
            assertEquals(20_000, train.size());
            assertEquals(4_000, test.size());
            assertEquals(10, train.classes());
            assertEquals(28 * 28, train.pixelCount());
            var counts = new int[10];
            for (int i = 0; i < test.size(); i++) {
                counts[test.label(i)]++;
            }
            assertArrayEquals(new int[] {400, 400, 400, 400, 400, 400, 400, 400, 400, 400}, counts);
        }
    }

    @Test
    void anImageDependsOnNothingButSeedSplitAndIndex() {
        try (var forward = new Glyphs(Split.TRAIN);
                var backward = new Glyphs(Split.TRAIN, 0, 100);
                var otherSeed = new Glyphs(Split.TRAIN, 1, 100);
                var test = new Glyphs(Split.TEST)) {
            var first = new byte[100][];
            for (int i = 0; i < 100; i++) {
                first[i] = read(forward, i);
            }
            for (int i = 99; i >= 0; i--) {
                assertArrayEquals(first[i], read(backward, i));
                assertArrayEquals(first[i], read(forward, i), "the kept image differs from the drawn one");
                assertFalse(Arrays.equals(first[i], read(otherSeed, i)));
                assertFalse(Arrays.equals(first[i], read(test, i)));
            }
        }
    }

    @Test
    void threadsThatDrawTheSameImagesGetTheSame() throws InterruptedException {
        try (var shared = new Glyphs(Split.TRAIN, 3, 500);
                var alone = new Glyphs(Split.TRAIN, 3, 500)) {
            var sums = new long[4];
            var threads = new Thread[4];
            for (int t = 0; t < 4; t++) {
                int me = t;
                threads[t] = Thread.ofPlatform().start(() -> sums[me] = checksum(shared));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (long sum : sums) {
                assertEquals(checksum(alone), sum);
            }
        }
    }

    private static long checksum(ImageDataset images) {
        var crc = new CRC32();
        for (int i = 0; i < images.size(); i++) {
            crc.update(read(images, i));
        }
        return crc.getValue();
    }

    @Test
    void everyImageHasInkInsideTheFrameAndNoTwoAreEqual() {
        try (var images = new Glyphs(Split.TRAIN, 0, 5000)) {
            var seen = new HashSet<Integer>();
            for (int i = 0; i < images.size(); i++) {
                byte[] pixels = read(images, i);
                int bright = 0;
                int brightOnTheEdge = 0;
                for (int p = 0; p < pixels.length; p++) {
                    boolean ink = (pixels[p] & 0xFF) > 85; // More than the noise alone can reach.
                    bright += ink ? 1 : 0;
                    boolean edge = p < 28 || p >= 27 * 28 || p % 28 == 0 || p % 28 == 27;
                    brightOnTheEdge += ink && edge ? 1 : 0;
                }
                assertTrue(bright >= 12 && bright <= 400, "image " + i + " has " + bright + " bright pixels");
                assertTrue(brightOnTheEdge < 14, "image " + i + " runs out of its frame");
                seen.add(Arrays.hashCode(pixels));
            }
            assertEquals(images.size(), seen.size());
        }
    }

    @Test
    void itsMeanAndDeviationAreTheMeasuredOnes() {
        try (var images = new Glyphs(Split.TRAIN)) {
            double sum = 0;
            double squares = 0;
            for (int i = 0; i < images.size(); i++) {
                for (byte pixel : read(images, i)) {
                    double value = (pixel & 0xFF) / 255.0;
                    sum += value;
                    squares += value * value;
                }
            }
            double count = (double) images.size() * images.pixelCount();
            double mean = sum / count;
            assertEquals(mean, images.mean()[0], 5e-5);
            assertEquals(Math.sqrt(squares / count - mean * mean), images.std()[0], 5e-5);
        }
    }

    @Test
    void refusesAnEmptySet() {
        assertThrows(KingfisherException.class, () -> new Glyphs(Split.TRAIN, 0, 0));
    }
}
