package io.kingfisher.train.report;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code metrics.jsonl}: one JSON object per line, appended as the run goes.
 *
 * <p>Each line is handed to the system in one call, so a killed process leaves at most a torn last line. A resumed run
 * drops that line and every record of a step after the one it resumes from, which it is about to write again.
 */
public final class MetricsLog implements AutoCloseable {
    private static final int LONGEST_LINE = 1 << 20;

    private final Path path;
    private final FileChannel file;

    private MetricsLog(Path path, FileChannel file) {
        this.path = path;
        this.file = file;
    }

    /**
     * Starts a new log.
     *
     * @throws KingfisherException if there is one with records already, which is never overwritten
     */
    public static MetricsLog create(Path path) {
        try {
            if (Files.exists(path) && Files.size(path) > 0) {
                throw new KingfisherException(
                        path
                                + ": another run's metrics are here already; name another --output folder, or --resume that run.");
            }
        } catch (IOException e) {
            throw failed(path, e);
        }
        return open(path, 0);
    }

    /** Continues a log after {@code step}; records past it and a torn end are removed. */
    public static MetricsLog resume(Path path, long step) {
        return open(path, Files.exists(path) ? endOf(path, step) : 0);
    }

    private static MetricsLog open(Path path, long length) {
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            file.truncate(length);
            file.position(length);
            return new MetricsLog(path, file);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    /** Appends one record; give it a {@code step} so that a resumed run can tell whether to keep it. */
    public void write(Map<String, Object> record) {
        var line = ByteBuffer.wrap((Json.write(record) + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (line.hasRemaining()) {
                file.write(line);
            }
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    /** Makes everything written so far durable; call it before a checkpoint that counts on it. */
    public void sync() {
        try {
            file.force(false);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    /** All whole records of a log, in order; a torn last line is left out. */
    public static List<Map<String, Object>> read(Path path) {
        var records = new ArrayList<Map<String, Object>>();
        scan(path, (record, end) -> records.add(record));
        return records;
    }

    /** Where the last record to keep ends. */
    private static long endOf(Path path, long step) {
        long[] end = {0};
        scan(path, (record, recordEnd) -> {
            boolean keep = !(record.get("step") instanceof Long at) || at <= step;
            if (keep) {
                end[0] = recordEnd;
            }
            return keep;
        });
        return end[0];
    }

    /** Takes a record and the offset after its line; says whether to go on. */
    private interface Visitor {
        boolean visit(Map<String, Object> record, long end);
    }

    private static void scan(Path path, Visitor visitor) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            var line = new ByteArrayOutputStream();
            long offset = 0;
            for (int b = in.read(); b >= 0 && line.size() < LONGEST_LINE; b = in.read()) {
                offset++;
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                Map<String, Object> record;
                try {
                    record = Json.parseObject(line.toString(StandardCharsets.UTF_8));
                } catch (IOException e) {
                    return; // torn by a crash of the whole machine: nothing after it can be trusted
                }
                if (!visitor.visit(record, offset)) {
                    return;
                }
                line.reset();
            }
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private static KingfisherException failed(Path path, IOException e) {
        return new KingfisherException(
                path + ": the metrics cannot be kept here: " + e + "; free some space or name another --output folder.",
                e);
    }
}
