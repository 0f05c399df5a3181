package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;

/**
 * Random changes to training images, in this order: crop, flip, normalisation, cutout. Every sample draws from its own
 * stream, keyed by (seed, epoch, position in the epoch): crop row, crop column, flip, then row and column of each hole.
 *
 * @param cropPadding pixels of black added on every side before a random crop back to the image's size; 0: no crop
 * @param horizontalFlip mirror left to right with probability one half
 * @param cutoutHoles square holes set to zero after normalisation, that is to the mean (DeVries and Taylor, "Improved
 *     regularization of convolutional neural networks with cutout", 2017); 0: none
 * @param cutoutLength the side of a hole in pixels; holes are centred anywhere in the image and clipped to it
 */
public record Augmentation(int cropPadding, boolean horizontalFlip, int cutoutHoles, int cutoutLength) {
    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(0, false, 0, 0);

    /** The usual one for CIFAR: crop with 4 pixels of padding and flip. */
    public static final Augmentation CROP_AND_FLIP = new Augmentation(4, true, 0, 0);

    public Augmentation {
        if (cropPadding < 0 || cropPadding > 4096) {
            throw new KingfisherException("crop padding must be between 0 and 4096 pixels, not " + cropPadding);
        }
        if (cutoutHoles < 0 || cutoutHoles > 4096) {
            throw new KingfisherException("n_holes must be between 0 and 4096, not " + cutoutHoles);
        }
        if (cutoutHoles > 0 && cutoutLength < 1) {
            throw new KingfisherException("cutout_length must be at least 1 pixel, not " + cutoutLength);
        }
    }

    public Augmentation withCutout(int holes, int length) {
        return new Augmentation(cropPadding, horizontalFlip, holes, length);
    }

    boolean isNone() {
        return cropPadding == 0 && !horizontalFlip && cutoutHoles == 0;
    }
}
