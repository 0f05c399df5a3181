package io.kingfisher.train.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Decodes, crops, flips, normalises and cuts holes. */
final class ImageRows implements RowWriter {
    private final ImageDataset images;
    private final Augmentation augmentation;
    private final int channels;
    private final int height;
    private final int width;
    private final Philox random;
    private final byte[] pixels;
    private final float[] values;
    /** By channel and U8 value: (value / 255 - mean) / std. */
    private final float[][] normalised;

    ImageRows(ImageDataset images, Augmentation augmentation, long seed) {
        this.images = images;
        this.augmentation = augmentation;
        this.channels = images.channels();
        this.height = images.height();
        this.width = images.width();
        this.random = new Philox(seed);
        this.pixels = new byte[images.pixelCount()];
        this.values = new float[images.pixelCount()];
        this.normalised = new float[channels][256];
        for (int c = 0; c < channels; c++) {
            for (int v = 0; v < 256; v++) {
                normalised[c][v] = (float) ((v / 255.0 - images.mean()[c]) / images.std()[c]);
            }
        }
    }

    @Override
    public int write(int index, int epoch, int position, int row, MemorySegment inputs, MemorySegment targets) {
        images.read(index, pixels, 0);
        if (augmentation.isNone()) {
            for (int c = 0; c < channels; c++) {
                float[] table = normalised[c];
                int end = (c + 1) * height * width;
                for (int i = c * height * width; i < end; i++) {
                    values[i] = table[pixels[i] & 0xFF];
                }
            }
        } else {
            augment(epoch, position);
        }
        MemorySegment.copy(
                values, 0, inputs, ValueLayout.JAVA_FLOAT, (long) row * values.length * Float.BYTES, values.length);
        targets.set(ValueLayout.JAVA_INT, (long) row * Integer.BYTES, images.label(index));
        return 1;
    }

    private void augment(int epoch, int position) {
        random.at(position, epoch, RandomStreams.AUGMENT);
        int shiftY = 0;
        int shiftX = 0;
        if (augmentation.cropPadding() > 0) {
            shiftY = random.nextInt(2 * augmentation.cropPadding() + 1) - augmentation.cropPadding();
            shiftX = random.nextInt(2 * augmentation.cropPadding() + 1) - augmentation.cropPadding();
        }
        boolean flip = augmentation.horizontalFlip() && random.nextInt() < 0;
        // Columns of the crop that lie inside the image; the others are padding.
        int from = Math.clamp(-shiftX, 0, width);
        int to = Math.clamp((long) width - shiftX, 0, width);
        for (int c = 0; c < channels; c++) {
            float[] table = normalised[c];
            for (int y = 0; y < height; y++) {
                int target = (c * height + y) * width;
                int sourceY = y + shiftY;
                if (sourceY < 0 || sourceY >= height || from >= to) {
                    Arrays.fill(values, target, target + width, table[0]);
                    continue;
                }
                int source = (c * height + sourceY) * width + shiftX;
                if (flip) {
                    int mirrored = target + width - 1;
                    Arrays.fill(values, target, target + width - to, table[0]);
                    for (int x = from; x < to; x++) {
                        values[mirrored - x] = table[pixels[source + x] & 0xFF];
                    }
                    Arrays.fill(values, target + width - from, target + width, table[0]);
                } else {
                    Arrays.fill(values, target, target + from, table[0]);
                    for (int x = from; x < to; x++) {
                        values[target + x] = table[pixels[source + x] & 0xFF];
                    }
                    Arrays.fill(values, target + to, target + width, table[0]);
                }
            }
        }
        cutHoles();
    }

    private void cutHoles() {
        int half = augmentation.cutoutLength() / 2;
        for (int hole = 0; hole < augmentation.cutoutHoles(); hole++) {
            int centreY = random.nextInt(height);
            int centreX = random.nextInt(width);
            int top = Math.max(0, centreY - half);
            int bottom = Math.min(height, centreY - half + augmentation.cutoutLength());
            int left = Math.max(0, centreX - half);
            int right = Math.min(width, centreX - half + augmentation.cutoutLength());
            for (int c = 0; c < channels; c++) {
                for (int y = top; y < bottom; y++) {
                    int start = (c * height + y) * width;
                    Arrays.fill(values, start + left, start + right, 0f);
                }
            }
        }
    }

    @Override
    public void blank(int row, MemorySegment inputs, MemorySegment targets) {
        Arrays.fill(values, 0f);
        MemorySegment.copy(
                values, 0, inputs, ValueLayout.JAVA_FLOAT, (long) row * values.length * Float.BYTES, values.length);
        targets.set(ValueLayout.JAVA_INT, (long) row * Integer.BYTES, DataLoader.IGNORE);
    }
}
