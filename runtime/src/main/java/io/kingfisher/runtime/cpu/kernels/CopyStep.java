package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies elements from one strided place to another. Where source and target walk memory along different axes, in square
 * tiles, so that each line of cache is fetched once.
 */
final class CopyStep implements CpuStep, Workers.Task {
    /** A tile's side in bytes: a tile of four-byte elements takes half of a first-level cache. */
    private static final int TILE_BYTES = 256;

    private static final long BYTES_WORTH_A_THREAD = 1 << 18;

    private final Workers workers;
    private final int bytes, tile;
    private final long from, to;
    /** All axes but the two of a tile; then those: the one along which the source is dense, and that of the target. */
    private final Nest outer;

    private final long rows, columns, fromRow, fromColumn, toRow, toColumn;
    private final long units, tileRows;
    private final int parts;
    private final long[][] cursors;

    /** Both views have the same shape and type, and no element of {@code to} is another's. */
    CopyStep(Workers workers, View from, View to, long fromAddress, long toAddress) {
        this.workers = workers;
        this.bytes = from.dtype().bytes();
        this.tile = TILE_BYTES / Math.max(4, bytes);
        this.from = fromAddress + from.offset() * bytes;
        this.to = toAddress + to.offset() * bytes;
        Nest nest = Nest.of(from.shape().toArray(), new long[][] {from.byteStrides(), to.byteStrides()});
        int column = nest.rank() - 1, row = -1;
        for (int axis = 0; axis < nest.rank() - 1; axis++) {
            if (nest.strides()[0][axis] == bytes || row < 0) {
                row = axis;
            }
        }
        if (nest.strides()[0][column] == bytes) {
            row = nest.rank() - 2;
        }
        List<Integer> others = new ArrayList<>();
        for (int axis = 0; axis < nest.rank() - 1; axis++) {
            if (axis != row) {
                others.add(axis);
            }
        }
        outer = nest.select(others);
        columns = nest.extents()[column];
        fromColumn = nest.strides()[0][column];
        toColumn = nest.strides()[1][column];
        rows = row < 0 ? 1 : nest.extents()[row];
        fromRow = row < 0 ? 0 : nest.strides()[0][row];
        toRow = row < 0 ? 0 : nest.strides()[1][row];
        boolean dense = fromColumn == bytes && toColumn == bytes;
        tileRows = dense ? Math.clamp((1 << 14) / Math.max(1, columns * bytes), 1, Math.max(1, rows)) : tile;
        long total = nest.elements();
        units = total == 0 ? 0 : outer.elements() * ((rows + tileRows - 1) / tileRows);
        parts = workers.threads() == 1
                ? 1
                : (int) Math.clamp(Math.min(units, total * bytes / BYTES_WORTH_A_THREAD), 1, workers.threads() * 2L);
        cursors = new long[parts][2];
    }

    @Override
    public void run() {
        workers.run(this, parts);
    }

    @Override
    public void run(int part) {
        long tiles = (rows + tileRows - 1) / tileRows;
        long[] at = cursors[part];
        for (long unit = units * part / parts; unit < units * (part + 1) / parts; unit++) {
            long row = unit % tiles * tileRows, count = Math.min(tileRows, rows - row);
            at[0] = from + row * fromRow;
            at[1] = to + row * toRow;
            outer.advance(unit / tiles, at);
            if (fromColumn == bytes && toColumn == bytes) {
                dense(at[0], at[1], count);
                continue;
            }
            for (long column = 0; column < columns; column += tile) {
                long width = Math.min(tile, columns - column);
                tile(at[0] + column * fromColumn, at[1] + column * toColumn, (int) count, (int) width);
            }
        }
    }

    private void dense(long source, long target, long count) {
        if (fromRow == columns * bytes && toRow == columns * bytes) {
            Memory.copy(source, target, count * columns * bytes);
            return;
        }
        for (long r = 0; r < count; r++) {
            if (columns * bytes >= 64) {
                Memory.copy(source + r * fromRow, target + r * toRow, columns * bytes);
            } else {
                tile(source + r * fromRow, target + r * toRow, 1, (int) columns);
            }
        }
    }

    private void tile(long source, long target, int count, int width) {
        for (int r = 0; r < count; r++) {
            long a = source + r * fromRow, b = target + r * toRow;
            switch (bytes) {
                case 4 -> {
                    for (int c = 0; c < width; c++) {
                        Memory.i32(b + c * toColumn, Memory.i32(a + c * fromColumn));
                    }
                }
                case 8 -> {
                    for (int c = 0; c < width; c++) {
                        Memory.i64(b + c * toColumn, Memory.i64(a + c * fromColumn));
                    }
                }
                case 2 -> {
                    for (int c = 0; c < width; c++) {
                        Memory.i16(b + c * toColumn, Memory.i16(a + c * fromColumn));
                    }
                }
                default -> {
                    for (int c = 0; c < width; c++) {
                        Memory.u8(b + c * toColumn, Memory.u8(a + c * fromColumn));
                    }
                }
            }
        }
    }
}
