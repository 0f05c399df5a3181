package io.kingfisher.runtime.cpu.kernels;

/**
 * An F32 image in memory: [images x channels/block x height x width x block], which is channels last where the block holds all
 * channels.
 *
 * @param block the channels that lie side by side; divides {@code channels}
 */
public record ImageLayout(int images, int channels, int height, int width, int block) {
    public ImageLayout {
        if (block < 1 || channels % block != 0) {
            throw new IllegalArgumentException(channels + " channels are not in blocks of " + block);
        }
    }

    int blocks() {
        return channels / block;
    }

    /** The bytes between two blocks of channels at the same place. */
    long blockStep() {
        return (long) height * width * block * Float.BYTES;
    }

    /** The bytes before a row of an image's first block. */
    long row(int image, int row) {
        return (long) image * blocks() * blockStep() + (long) row * width * block * Float.BYTES;
    }
}
