package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Crop, flip, normalisation and cutout against a reference that works pixel by pixel on a padded copy. */
class AugmentationTest {
    @Test
    void agreesWithTheReference() {
        int[][] sizes = {{1, 5, 5}, {3, 8, 6}, {3, 1, 1}, {2, 3, 11}};
        Augmentation[] augmentations = {
            Augmentation.NONE,
            new Augmentation(1, false, 0, 0),
            new Augmentation(4, true, 0, 0),
            new Augmentation(20, true, 0, 0),
            new Augmentation(0, true, 2, 3),
            new Augmentation(2, true, 1, 4),
            new Augmentation(0, false, 1, 1),
            new Augmentation(0, false, 1, 100),
        };
        for (int[] size : sizes) {
            var images = new FakeImages(40, size[0], size[1], size[2]);
            for (Augmentation augmentation : augmentations) {
                compare(images, augmentation);
            }
        }
    }

    private static void compare(FakeImages images, Augmentation augmentation) {
        long seed = 77;
        var rows = new ImageRows(images, augmentation, seed);
        try (var arena = Arena.ofConfined()) {
            var inputs = arena.allocate(2L * 4 * images.pixelCount(), 4);
            var targets = arena.allocate(8, 4);
            for (int position = 0; position < 40; position++) {
                int epoch = position % 3;
                int index = (position * 7) % 40;
                rows.write(index, epoch, position, 1, inputs, targets);
                float[] expected = reference(images, augmentation, seed, index, epoch, position);
                for (int i = 0; i < expected.length; i++) {
                    assertEquals(
                            expected[i],
                            inputs.getAtIndex(ValueLayout.JAVA_FLOAT, expected.length + i),
                            1e-6f,
                            augmentation + " of " + images + " at " + i);
                }
                assertEquals(index, targets.getAtIndex(ValueLayout.JAVA_INT, 1));
            }
        }
    }

    private static float[] reference(
            FakeImages images, Augmentation augmentation, long seed, int index, int epoch, int position) {
        var random = new Philox(seed).at(position, epoch, RandomStreams.AUGMENT);
        int pad = augmentation.cropPadding();
        int h = images.height();
        int w = images.width();
        int top = pad > 0 ? random.nextInt(2 * pad + 1) : 0;
        int left = pad > 0 ? random.nextInt(2 * pad + 1) : 0;
        boolean flip = augmentation.horizontalFlip() && random.nextInt() < 0;
        var result = new float[images.pixelCount()];
        for (int c = 0; c < images.channels(); c++) {
            var padded = new int[h + 2 * pad][w + 2 * pad];
            for (int y = 0; y < h; y++) {
                for (int x = 0; x < w; x++) {
                    padded[y + pad][x + pad] = FakeImages.pixel(index, c, y, x);
                }
            }
            for (int y = 0; y < h; y++) {
                for (int x = 0; x < w; x++) {
                    int value = padded[top + y][left + (flip ? w - 1 - x : x)];
                    result[(c * h + y) * w + x] = (float) ((value / 255.0 - images.mean()[c]) / images.std()[c]);
                }
            }
        }
        for (int hole = 0; hole < augmentation.cutoutHoles(); hole++) {
            int y0 = random.nextInt(h) - augmentation.cutoutLength() / 2;
            int x0 = random.nextInt(w) - augmentation.cutoutLength() / 2;
            for (int c = 0; c < images.channels(); c++) {
                for (int y = 0; y < h; y++) {
                    for (int x = 0; x < w; x++) {
                        boolean inside = y >= y0
                                && y < y0 + augmentation.cutoutLength()
                                && x >= x0
                                && x < x0 + augmentation.cutoutLength();
                        result[(c * h + y) * w + x] = inside ? 0 : result[(c * h + y) * w + x];
                    }
                }
            }
        }
        return result;
    }

    @Test
    void shiftsAndFlipsAreEquallyLikely() {
        int flips = 0;
        var shifts = new int[9];
        for (int position = 0; position < 9000; position++) {
            var random = new Philox(1).at(position, 0, RandomStreams.AUGMENT);
            shifts[random.nextInt(9)]++;
            random.nextInt(9);
            flips += random.nextInt() < 0 ? 1 : 0;
        }
        assertEquals(4500, flips, 5 * Math.sqrt(9000 / 4.0));
        for (int count : shifts) {
            assertTrue(Math.abs(count - 1000) < 5 * Math.sqrt(1000));
        }
    }

    @Test
    void refusesNonsense() {
        assertThrows(KingfisherException.class, () -> new Augmentation(-1, false, 0, 0));
        assertThrows(KingfisherException.class, () -> new Augmentation(0, false, -1, 0));
        assertThrows(KingfisherException.class, () -> new Augmentation(0, false, 1, 0));
    }
}
