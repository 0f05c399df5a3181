package io.kingfisher.train.checkpoint;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Replaces files as a whole: after a crash or a power failure there is the old file or the new one, never a part. */
public final class AtomicFile {
    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    private AtomicFile() {}

    /** What fills a new file. */
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel file) throws IOException;
    }

    /**
     * Writes {@code .NAME.tmp} beside {@code path}, syncs it, renames it to {@code path} and syncs the folder, which is
     * made if it is missing.
     *
     * @throws KingfisherException if any of that fails; {@code path} is then as it was
     */
    public static void write(Path path, Content content) {
        Path folder = path.toAbsolutePath().getParent();
        Path temporary = folder.resolve("." + path.getFileName() + ".tmp");
        try {
            Files.createDirectories(folder);
            try (FileChannel file = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                content.writeTo(file);
                file.force(true);
            }
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            sync(folder);
        } catch (IOException e) {
            deleteQuietly(temporary, e);
            throw new KingfisherException(
                    path + ": cannot be written: " + e + "; what was there before is unchanged. Free some space or name"
                            + " another folder.",
                    e);
        }
    }

    /** Writes UTF-8 text. */
    public static void writeText(Path path, String text) {
        write(path, file -> {
            var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        });
    }

    /** Makes the rename itself durable; Windows has no such call and does not need it. */
    private static void sync(Path folder) throws IOException {
        if (!WINDOWS) {
            try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
    }

    private static void deleteQuietly(Path temporary, IOException because) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            because.addSuppressed(e);
        }
    }
}
