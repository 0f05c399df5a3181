package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.List;
import java.util.stream.IntStream;

/** Images whose every pixel says which image, channel and place it is, for tests. */
record FakeImages(int size, int channels, int height, int width, int damagedIndex) implements ImageDataset {
    FakeImages(int size, int channels, int height, int width) {
        this(size, channels, height, width, -1);
    }

    static int pixel(int index, int c, int y, int x) {
        return (index * 31 + c * 97 + y * 13 + x * 7 + 1) & 0xFF;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public Split split() {
        return Split.TRAIN;
    }

    @Override
    public List<String> classNames() {
        return IntStream.range(0, 1000).mapToObj(Integer::toString).toList();
    }

    @Override
    public float[] mean() {
        var mean = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = .4f + .1f * c;
        }
        return mean;
    }

    @Override
    public float[] std() {
        var std = new float[channels];
        for (int c = 0; c < channels; c++) {
            std[c] = .2f + .05f * c;
        }
        return std;
    }

    @Override
    public void read(int index, byte[] pixels, int offset) {
        if (index == damagedIndex) {
            throw new KingfisherException("image " + index + " is damaged");
        }
        int i = offset;
        for (int c = 0; c < channels; c++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    pixels[i++] = (byte) pixel(index, c, y, x);
                }
            }
        }
    }

    @Override
    public int label(int index) {
        return index % 1000;
    }

    @Override
    public void close() {}
}
