package io.kingfisher.train.checkpoint;

import io.kingfisher.runtime.KingfisherException;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A safetensors file in memory: the open format of named tensors (8 bytes of header length, a JSON header, the tensors'
 * bytes), which Python's safetensors package reads and writes too.
 *
 * @param metadata free texts by name
 * @param tensors the tensors, in the order of their bytes in the file
 */
public record Safetensors(Map<String, String> metadata, List<SafeTensor> tensors) {
    /** The format's own bound on the header, which keeps a damaged length from being allocated. */
    private static final long MAX_HEADER = 100_000_000;

    /** What one read moves: well within what a ByteBuffer holds. */
    private static final long PIECE = 1L << 28;

    public Safetensors {
        tensors = List.copyOf(tensors);
    }

    /** The tensor of that name. */
    public Optional<SafeTensor> find(String name) {
        return tensors.stream().filter(tensor -> tensor.name().equals(name)).findFirst();
    }

    /**
     * Reads a file. Nothing is allocated before the whole header is found to fit the file's real size.
     *
     * @param arena owns the tensors' memory; each tensor begins at a multiple of 64 bytes
     * @throws KingfisherException naming the path, the tensor and the offset, for a file that is not whole
     */
    public static Safetensors read(Path path, Arena arena) {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = file.size();
            if (size < 8) {
                throw SafetensorsHeader.damaged(path, "it has only " + size + " bytes", null);
            }
            long headerBytes = headerLength(path, file, size);
            byte[] json = new byte[(int) headerBytes];
            readFully(file, MemorySegment.ofArray(json), 8);
            long dataStart = 8 + headerBytes;
            var header = SafetensorsHeader.parse(path, json, dataStart, size - dataStart);
            var tensors = new ArrayList<SafeTensor>();
            for (var entry : header.entries()) {
                MemorySegment data = arena.allocate(entry.end() - entry.begin(), 64);
                readFully(file, data, dataStart + entry.begin());
                tensors.add(new SafeTensor(entry.name(), entry.dtype(), entry.shape(), data));
            }
            return new Safetensors(header.metadata(), tensors);
        } catch (EOFException e) {
            throw SafetensorsHeader.damaged(path, "it became shorter while it was read", e);
        } catch (IOException e) {
            String why = Files.isDirectory(path)
                    ? "it is a folder"
                    : Files.exists(path) ? e.toString() : "there is no such file";
            throw new KingfisherException(path + ": cannot be read: " + why + ".", e);
        }
    }

    private static long headerLength(Path path, FileChannel file, long size) throws IOException {
        byte[] length = new byte[8];
        readFully(file, MemorySegment.ofArray(length), 0);
        long bytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (bytes < 0 || bytes > MAX_HEADER || bytes > size - 8) {
            throw SafetensorsHeader.damaged(
                    path,
                    "the header length at offset 0 is " + Long.toUnsignedString(bytes) + ", in a file of " + size
                            + " bytes",
                    null);
        }
        return bytes;
    }

    /**
     * Writes a file so that it is either whole or not there: under another name first, synced, then renamed over the old
     * one, which stays as it was if anything fails.
     *
     * @param tensors in any order; they are laid out by element size, largest first, then by name, so that each is aligned
     */
    public static void write(Path path, Map<String, String> metadata, List<SafeTensor> tensors) {
        List<SafeTensor> sorted = inFileOrder(tensors);
        byte[] header = SafetensorsHeader.write(metadata, sorted);
        AtomicFile.write(path, file -> {
            var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length);
            writeFully(file, MemorySegment.ofArray(length.array()));
            writeFully(file, MemorySegment.ofArray(header));
            for (SafeTensor tensor : sorted) {
                writeFully(file, tensor.data());
            }
        });
    }

    static List<SafeTensor> inFileOrder(List<SafeTensor> tensors) {
        return tensors.stream()
                .sorted(Comparator.comparingInt((SafeTensor tensor) -> -Dtypes.size(tensor.dtype()))
                        .thenComparing(SafeTensor::name))
                .toList();
    }

    private static void readFully(FileChannel file, MemorySegment into, long position) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long piece = Math.min(PIECE, into.byteSize() - done);
            int count = file.read(into.asSlice(done, piece).asByteBuffer(), position + done);
            if (count < 0) {
                throw new EOFException();
            }
            done += count;
        }
    }

    private static void writeFully(FileChannel file, MemorySegment from) throws IOException {
        Pieces.forEach(from, piece -> {
            while (piece.hasRemaining()) {
                file.write(piece);
            }
        });
    }
}
