package io.kingfisher.runtime.cpu.kernels;

/**
 * How the tiles of a convolution are shared out: in batches whose transformed values fit into a cache, each in parts of whole
 * rows of tiles and, for the products, in splits of tiles. All depends on the sizes alone.
 *
 * @param rows the rows of tiles of a batch; the last may have fewer
 * @param parts the parts into which transforming a batch is divided
 * @param splits the pieces into which each product is divided
 */
record TileBatches(TileGrid grid, int rows, int parts, int splits) {
    /** The bytes of transformed values in a batch: 4 MiB is the fastest of 0.5 to 8. */
    private static final long BYTES = 4L << 20;

    /** Below so many tiles a matrix product is slow, or weights are read too often. */
    private static final int FEWEST_TILES = 128;

    private static final int MOST_PARTS = 16;
    private static final int SPLIT_TILES = 256;
    private static final int MOST_SPLITS = 8;

    /** For images of so many channels in all. */
    static TileBatches of(TileGrid grid, int channels) {
        long tileBytes = (long) Transformed.PLACES * channels * Float.BYTES;
        long tiles = Math.max(FEWEST_TILES, BYTES / tileBytes);
        int most = (int) Math.min(grid.rows(), Math.max(1, tiles / grid.across()));
        int rows = Math.ceilDiv(grid.rows(), Math.ceilDiv(grid.rows(), most));
        int splits = Math.clamp((long) rows * grid.across() / SPLIT_TILES, 1, MOST_SPLITS);
        return new TileBatches(grid, rows, Math.min(rows, MOST_PARTS), splits);
    }

    static long aligned(long bytes) {
        return (bytes + 63) & -64;
    }

    int count() {
        return Math.ceilDiv(grid.rows(), rows);
    }

    /** The tiles of a whole batch. */
    int tiles() {
        return Math.multiplyExact(rows, grid.across());
    }

    /** The products of matrices for a batch. */
    int products() {
        return Transformed.PLACES * splits;
    }

    private int end(int batch) {
        return Math.min(grid.rows(), (batch + 1) * rows);
    }

    /** The tiles of a batch. */
    int tiles(int batch) {
        return (end(batch) - batch * rows) * grid.across();
    }

    /** The first row of tiles of a part. */
    int partFrom(int batch, int part) {
        int first = batch * rows;
        return first + (end(batch) - first) * part / parts;
    }

    /** The tiles of a batch before a row. */
    long tilesBefore(int batch, int row) {
        return (long) (row - batch * rows) * grid.across();
    }

    /** The first tile of a split within its batch. */
    int splitFrom(int split) {
        return (int) ((long) tiles() * split / splits / 8 * 8);
    }

    /** The tiles of a split in a batch. */
    int splitTiles(int batch, int split) {
        int end = split + 1 == splits ? tiles() : splitFrom(split + 1);
        return Math.max(0, Math.min(tiles(batch), end) - splitFrom(split));
    }
}
