package io.kingfisher.runtime.cpu.kernels;

/**
 * The 4x4 tiles that cover the outputs of a convolution with a 3x3 kernel and stride 1, row by row and image by image. The
 * last of a row or a column may stand over.
 *
 * @param height the rows of an output image
 * @param width its columns
 */
record TileGrid(int images, int height, int width) {
    private static final int SIZE = WinogradTransform.OUTPUTS;

    int down() {
        return Math.ceilDiv(height, SIZE);
    }

    int across() {
        return Math.ceilDiv(width, SIZE);
    }

    /** The rows of tiles of all images. */
    int rows() {
        return Math.multiplyExact(images, down());
    }

    /** The tiles of all images. */
    long tiles() {
        return (long) rows() * across();
    }

    /** The tiles of a row that do not stand over. */
    int wholeAcross() {
        return width / SIZE;
    }
}
