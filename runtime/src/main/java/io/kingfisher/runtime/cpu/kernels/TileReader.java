package io.kingfisher.runtime.cpu.kernels;

/**
 * Cuts an image into tiles and transforms them along both axes: first the columns of a whole row of tiles, in the image's own
 * order, into scratch memory, then the rows of each tile.
 */
final class TileReader {
    private final AdaptiveLoop loop;
    private final ImageLayout image;
    private final TileGrid grid;
    private final int size;
    private final int padH;
    private final int padW;
    /** The columns of scratch memory: those of all tiles of a row. */
    private final int columns;

    /**
     * @param transform of as many operands as a tile has rows and columns
     * @param padH the rows of zeros before an image's first
     * @param padW the columns of zeros before its first
     */
    TileReader(KernelEngine engine, WinogradTransform transform, ImageLayout image, TileGrid grid, int padH, int padW) {
        this.loop = engine.loop(transform.spec()).ready();
        this.image = image;
        this.grid = grid;
        this.size = transform.operands();
        this.padH = padH;
        this.padW = padW;
        this.columns = columns(transform, grid);
    }

    private static int columns(WinogradTransform transform, TileGrid grid) {
        return WinogradTransform.OUTPUTS * (grid.across() - 1) + transform.operands();
    }

    /** What a part needs: a row of zeros and the six transformed rows of a row of tiles. */
    static long scratchBytes(WinogradTransform transform, ImageLayout image, TileGrid grid) {
        long rows = (long) WinogradTransform.POINTS * image.channels() * columns(transform, grid);
        return (rows + (long) image.width() * image.block()) * Float.BYTES;
    }

    private long columnBytes() {
        return (long) image.block() * Float.BYTES;
    }

    /**
     * Transforms rows of tiles.
     *
     * @param from the image
     * @param scratch {@link #scratchBytes} that nobody else uses meanwhile
     * @param first the first row of tiles, {@code end} the one after the last
     * @param to the first place's matrix, at the row of the first tile
     */
    void read(Cursor cursor, long from, long scratch, int first, int end, long to, Transformed tiles) {
        long zeros = scratch, rows = scratch + image.width() * columnBytes();
        Memory.zero(zeros, image.width() * columnBytes());
        clearMargins(rows);
        for (int row = first; row < end; row++) {
            columns(cursor, from, row, zeros, rows);
            long at = to + (long) (row - first) * grid.across() * image.channels() * Float.BYTES;
            for (int i = 0; i < WinogradTransform.POINTS; i++) {
                rows(cursor, rows + i * rowBytes(), at + (long) WinogradTransform.POINTS * i * tiles.pitch(), tiles);
            }
        }
    }

    private long blockBytes() {
        return columns * columnBytes();
    }

    /** A transformed row of all channels. */
    private long rowBytes() {
        return image.blocks() * blockBytes();
    }

    /** Zeroes the columns left and right of the image. */
    private void clearMargins(long rows) {
        long left = padW * columnBytes(), body = image.width() * columnBytes();
        for (int i = 0; i < WinogradTransform.POINTS * image.blocks(); i++) {
            long at = rows + i * blockBytes();
            Memory.zero(at, left);
            Memory.zero(at + left + body, blockBytes() - left - body);
        }
    }

    private void columns(Cursor cursor, long from, int row, long zeros, long to) {
        int picture = row / grid.down(), top = row % grid.down() * WinogradTransform.OUTPUTS - padH;
        cursor.begin(size + WinogradTransform.POINTS);
        for (int i = 0; i < size; i++) {
            int line = top + i;
            boolean inside = line >= 0 && line < image.height();
            cursor.set(i, inside ? from + image.row(picture, line) : zeros, inside ? image.blockStep() : 0);
        }
        for (int i = 0; i < WinogradTransform.POINTS; i++) {
            cursor.set(size + i, to + i * rowBytes() + padW * columnBytes(), blockBytes());
        }
        cursor.run(loop, image.blocks(), image.width() * image.block());
    }

    /** Transforms one row of every tile into six places. */
    private void rows(Cursor cursor, long from, long to, Transformed tiles) {
        boolean last = image.blocks() == 1;
        long across = WinogradTransform.OUTPUTS * columnBytes(), tile = (long) image.channels() * Float.BYTES;
        cursor.begin(size + WinogradTransform.POINTS);
        for (int i = 0; i < size; i++) {
            cursor.set(i, from + i * columnBytes(), last ? across : blockBytes());
        }
        for (int i = 0; i < WinogradTransform.POINTS; i++) {
            cursor.set(size + i, to + i * tiles.pitch(), last ? tile : columnBytes());
        }
        if (last) {
            cursor.run(loop, grid.across(), image.block());
            return;
        }
        for (int t = 0; t < grid.across(); t++) {
            cursor.run(loop, image.blocks(), image.block());
            for (int i = 0; i < size; i++) {
                cursor.move(i, across);
            }
            for (int i = 0; i < WinogradTransform.POINTS; i++) {
                cursor.move(size + i, tile);
            }
        }
    }
}
