package io.kingfisher.runtime.cpu.kernels;

/**
 * Transforms the products of tiles back along both axes and puts the tiles together to an image, with a bias for each channel
 * where there is one: first the columns of a row of tiles into scratch memory, then the rows of each tile.
 */
final class TileWriter {
    private static final int POINTS = WinogradTransform.POINTS;
    private static final int SIZE = WinogradTransform.OUTPUTS;

    private final AdaptiveLoop down;
    private final AdaptiveLoop across;
    private final ImageLayout image;
    private final TileGrid grid;
    private final boolean biased;

    TileWriter(KernelEngine engine, ImageLayout image, TileGrid grid, boolean biased) {
        this.down = engine.loop(WinogradTransform.OUTPUT.spec()).ready();
        this.across =
                biased ? engine.loop(WinogradTransform.BIASED_OUTPUT.spec()).ready() : down;
        this.image = image;
        this.grid = grid;
        this.biased = biased;
    }

    /** What a part needs: the four rows of a row of tiles with six columns each, and room for what stands over. */
    static long scratchBytes(ImageLayout image, TileGrid grid) {
        return ((long) SIZE * POINTS * grid.across() + 1) * image.channels() * Float.BYTES;
    }

    private long tileBytes() {
        return (long) image.channels() * Float.BYTES;
    }

    private long rowBytes() {
        return grid.across() * tileBytes();
    }

    /**
     * Makes rows of tiles.
     *
     * @param from the first place's matrix, at the row of the first tile
     * @param scratch {@link #scratchBytes} that nobody else uses meanwhile
     * @param first the first row of tiles, {@code end} the one after the last
     * @param to the image
     * @param bias a number for each channel, read where the writer is a biased one
     */
    void write(Cursor cursor, long from, Transformed tiles, long scratch, int first, int end, long to, long bias) {
        for (int row = first; row < end; row++) {
            long at = from + (row - first) * rowBytes();
            for (int j = 0; j < POINTS; j++) {
                cursor.begin(POINTS + SIZE);
                for (int i = 0; i < POINTS; i++) {
                    cursor.set(i, at + (POINTS * i + j) * tiles.pitch(), 0);
                }
                for (int i = 0; i < SIZE; i++) {
                    cursor.set(POINTS + i, scratch + (POINTS * i + j) * rowBytes(), 0);
                }
                cursor.run(down, 1, grid.across() * image.channels());
            }
            int picture = row / grid.down(), top = row % grid.down() * SIZE;
            for (int i = 0; i < Math.min(SIZE, image.height() - top); i++) {
                line(cursor, scratch + (long) POINTS * i * rowBytes(), scratch, to + image.row(picture, top + i), bias);
            }
        }
    }

    /** One row of the image from the same row of all tiles. */
    private void line(Cursor cursor, long from, long scratch, long to, long bias) {
        boolean last = image.blocks() == 1;
        int whole = grid.wholeAcross(), over = image.width() - whole * SIZE;
        long columnBytes = (long) image.block() * Float.BYTES;
        if (last) {
            operands(cursor, from, tileBytes(), bias, 0);
            for (int i = 0; i < SIZE; i++) {
                cursor.set(results() + i, to + i * columnBytes, SIZE * columnBytes);
            }
            cursor.run(across, whole, image.block());
        } else {
            operands(cursor, from, columnBytes, bias, columnBytes);
            for (int i = 0; i < SIZE; i++) {
                cursor.set(results() + i, to + i * columnBytes, image.blockStep());
            }
            for (int t = 0; t < whole; t++) {
                cursor.run(across, image.blocks(), image.block());
                for (int i = 0; i < POINTS; i++) {
                    cursor.move(i, tileBytes());
                }
                for (int i = 0; i < SIZE; i++) {
                    cursor.move(results() + i, SIZE * columnBytes);
                }
            }
        }
        if (over > 0) {
            long waste = scratch + SIZE * POINTS * rowBytes();
            operands(cursor, from + whole * tileBytes(), columnBytes, bias, columnBytes);
            for (int i = 0; i < SIZE; i++) {
                boolean inside = i < over;
                long at = to + (whole * SIZE + i) * columnBytes;
                cursor.set(results() + i, inside ? at : waste, inside ? image.blockStep() : 0);
            }
            cursor.run(across, image.blocks(), image.block());
        }
    }

    private int results() {
        return biased ? POINTS + 1 : POINTS;
    }

    private void operands(Cursor cursor, long from, long step, long bias, long biasStep) {
        cursor.begin(results() + SIZE);
        for (int i = 0; i < POINTS; i++) {
            cursor.set(i, from + i * rowBytes(), step);
        }
        if (biased) {
            cursor.set(POINTS, bias, biasStep);
        }
    }
}
