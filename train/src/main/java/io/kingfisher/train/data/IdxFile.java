package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * An IDX file of unsigned bytes, plain or gzip: two zero bytes, the type 0x08, the number of dimensions, each dimension
 * as a big-endian 32-bit number, then the values in row-major order.
 *
 * @param file where it came from
 * @param dimensions each at least 1
 * @param values U8, as many as the product of the dimensions
 */
record IdxFile(Path file, int[] dimensions, MemorySegment values) {
    /** Deflate cannot shrink data more than this: a dimension that promises more than the file can hold is a lie. */
    private static final long MOST_INFLATED = 1032;

    /**
     * Reads a whole file.
     *
     * @param rank the number of dimensions it must have
     * @param arena owns the values
     * @param limit the most bytes of values to accept
     */
    static IdxFile read(Path file, int rank, Arena arena, long limit) {
        var reader = new Reader(file);
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            raw.mark(2);
            boolean gzip = raw.read() == 0x1F && raw.read() == 0x8B;
            raw.reset();
            reader.gzip = gzip;
            try (InputStream in = gzip ? new GZIPInputStream(raw, 1 << 16) : raw) {
                return reader.read(in, rank, arena, limit);
            }
        } catch (EOFException e) {
            throw new KingfisherException(reader.where() + ": the file is truncated", e);
        } catch (IOException e) {
            throw new KingfisherException("%s: cannot read the file: %s".formatted(reader.where(), e.getMessage()), e);
        }
    }

    private static final class Reader {
        private final Path file;
        private boolean gzip;
        private long offset;

        Reader(Path file) {
            this.file = file;
        }

        String where() {
            return "%s, byte %d%s".formatted(file, offset, gzip ? " (uncompressed)" : "");
        }

        IdxFile read(InputStream in, int rank, Arena arena, long limit) throws IOException {
            int magic = readInt(in);
            if (magic != (0x0800 | rank)) {
                offset -= 4;
                throw new KingfisherException(
                        "%s: not an IDX file of unsigned bytes with %d dimension%s: it begins with 0x%08X instead of 0x%08X"
                                .formatted(where(), rank, rank == 1 ? "" : "s", magic, 0x0800 | rank));
            }
            var dimensions = new int[rank];
            long total = 1;
            long size = Files.size(file);
            long most = Math.min(limit, gzip ? size * MOST_INFLATED : size);
            for (int i = 0; i < rank; i++) {
                dimensions[i] = readInt(in);
                if (dimensions[i] < 1 || dimensions[i] > most / total) {
                    offset -= 4;
                    throw new KingfisherException("%s: dimension %d is %s, which is %s"
                            .formatted(
                                    where(),
                                    i,
                                    Integer.toUnsignedString(dimensions[i]),
                                    dimensions[i] == 0
                                            ? "empty"
                                            : "more than a file of %d bytes can hold or the limit of %d bytes allows"
                                                    .formatted(size, limit)));
                }
                total *= dimensions[i];
            }
            MemorySegment values = arena.allocate(total, 64);
            var buffer = new byte[1 << 16];
            for (long done = 0; done < total; ) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, total - done));
                if (count < 0) {
                    throw new KingfisherException("%s: the file is truncated: its header promises %d more bytes"
                            .formatted(where(), total - done));
                }
                MemorySegment.copy(buffer, 0, values, ValueLayout.JAVA_BYTE, done, count);
                done += count;
                offset += count;
            }
            // Reading to the end also makes gzip compare its checksum.
            if (in.read() >= 0) {
                throw new KingfisherException(
                        "%s: the file goes on after the %d values that its header promises".formatted(where(), total));
            }
            return new IdxFile(file, dimensions, values);
        }

        private int readInt(InputStream in) throws IOException {
            int value = 0;
            for (int i = 0; i < 4; i++) {
                int next = in.read();
                if (next < 0) {
                    throw new EOFException();
                }
                value = value << 8 | next;
                offset++;
            }
            return value;
        }
    }
}
