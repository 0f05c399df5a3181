package io.kingfisher.train.data;

/** The last counter word of every random stream of this package: what the numbers are for. */
final class RandomStreams {
    /** Upper words: 0, epoch. */
    static final int SHUFFLE = 0x53485546;
    /** Upper words: position in the epoch, epoch. */
    static final int AUGMENT = 0x4155474D;
    /** Upper words: position in the epoch, epoch. */
    static final int WINDOW = 0x57494E44;
    /** Upper words: index of the image, split. */
    static final int GLYPH = 0x474C5950;
    /** Upper words: 0, 0. */
    static final int SAMPLE = 0x53414D50;

    private RandomStreams() {}
}
