package io.kingfisher.train.report;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;

/**
 * Scalars as TensorBoard reads them: a folder of event files, each a sequence of TFRecords (length, checksum of the
 * length, bytes, checksum of the bytes).
 */
public final class TensorBoardLog implements AutoCloseable {
    private static final String PREFIX = "events.out.tfevents.";
    private static final int LONGEST_RECORD = 1 << 20;

    private final Path path;
    private final FileChannel file;
    private final Clock clock;

    private TensorBoardLog(Path path, FileChannel file, Clock clock) {
        this.path = path;
        this.file = file;
        this.clock = clock;
    }

    /**
     * Starts a new event file in a folder.
     *
     * @param step the step the run continues from; records past it, and torn ones, are removed from earlier files there
     */
    public static TensorBoardLog open(Path folder, long step) {
        Clock clock = Clock.systemUTC();
        String stem = PREFIX + "%010d.kingfisher".formatted(clock.millis() / 1000);
        try {
            Files.createDirectories(folder);
            cutEarlier(folder, step);
            Path path = folder.resolve(stem);
            for (int i = 2; Files.exists(path); i++) {
                path = folder.resolve(stem + "." + i);
            }
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            var log = new TensorBoardLog(path, file, clock);
            log.write(TensorBoardEvents.version(log.now()));
            return log;
        } catch (IOException e) {
            throw failed(folder, e);
        }
    }

    /**
     * Writes one value.
     *
     * @param tag the curve's name, such as {@code loss/train}
     */
    public void scalar(String tag, long step, double value) {
        write(TensorBoardEvents.scalar(now(), step, tag, (float) value));
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private double now() {
        return clock.millis() / 1000.0;
    }

    private void write(byte[] event) {
        var record = ByteBuffer.allocate(16 + event.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(event.length);
        record.putInt(Crc32c.masked(record.slice(0, 8)));
        record.put(event);
        record.putInt(Crc32c.masked(record.slice(12, event.length)));
        record.flip();
        try {
            while (record.hasRemaining()) {
                file.write(record);
            }
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private static void cutEarlier(Path folder, long step) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, PREFIX + "*")) {
            for (Path path : files) {
                try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                    file.truncate(endOf(file, step));
                }
            }
        }
    }

    /** Where the last whole record of a step up to {@code step} ends. */
    private static long endOf(FileChannel file, long step) throws IOException {
        long end = 0;
        while (true) {
            var head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
            if (!fill(file, head, end) || head.getInt(8) != Crc32c.masked(head.slice(0, 8))) {
                return end;
            }
            long length = head.getLong(0);
            if (length < 0 || length > LONGEST_RECORD) {
                return end;
            }
            var body = ByteBuffer.allocate((int) length + 4).order(ByteOrder.LITTLE_ENDIAN);
            if (!fill(file, body, end + 12)
                    || body.getInt((int) length) != Crc32c.masked(body.slice(0, (int) length))) {
                return end;
            }
            var event = new byte[(int) length];
            body.get(0, event);
            if (TensorBoardEvents.stepOf(event) > step) {
                return end;
            }
            end += 16 + length;
        }
    }

    private static boolean fill(FileChannel file, ByteBuffer into, long position) throws IOException {
        while (into.hasRemaining()) {
            if (file.read(into, position + into.position()) < 0) {
                return false;
            }
        }
        return true;
    }

    private static KingfisherException failed(Path path, IOException e) {
        return new KingfisherException(
                path + ": TensorBoard events cannot be written here: " + e
                        + "; free some space or name another --output folder.",
                e);
    }
}
