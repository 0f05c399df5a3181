package io.kingfisher.train.data;

import java.util.List;

/**
 * Images of one size with one class each. Pixels are U8 [C,H,W] (planar), labels are in {@code [0, classes)}.
 *
 * <p>Implementations must be safe for concurrent reads and should not allocate in {@link #read}.
 */
public non-sealed interface ImageDataset extends Dataset {
    int channels();

    int height();

    int width();

    /** The names of the classes, by label. */
    List<String> classNames();

    /** The mean of each channel over the training images, with pixels scaled to [0, 1]. */
    float[] mean();

    /** The standard deviation of each channel over the training images, with pixels scaled to [0, 1]. */
    float[] std();

    /**
     * Reads the pixels of one image.
     *
     * @param pixels receives U8 [C,H,W] from {@code offset} on
     */
    void read(int index, byte[] pixels, int offset);

    /** The class of one image. */
    int label(int index);

    @Override
    default int classes() {
        return classNames().size();
    }

    /** Bytes of one image: C*H*W. */
    default int pixelCount() {
        return channels() * height() * width();
    }
}
