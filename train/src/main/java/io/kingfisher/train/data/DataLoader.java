package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * An endless stream of batches, epoch after epoch, made ahead of time by worker threads in a ring of reused off-heap
 * buffers. Which samples a batch holds and how they are augmented depends only on the data, the options' seed and the
 * position, not on the number of workers or buffers. In steady state neither the caller nor the workers allocate.
 *
 * <pre>{@code
 * try (var loader = new DataLoader(dataset, LoaderOptions.training(128, seed))) {
 *     for (int i = 0; i < loader.batchesPerEpoch(); i++) {
 *         Batch batch = loader.next();   // valid until the next call
 *         ...
 *     }
 *     Position after = loader.position();   // save it; loader.seek(after) continues exactly there
 * }
 * }</pre>
 *
 * <p>One thread at a time may call a loader. Closing it stops its workers and leaves the data set open.
 */
public final class DataLoader implements AutoCloseable {
    /** The target of rows and tokens that do not count: what losses ignore by default. */
    public static final int IGNORE = -100;

    /**
     * Memory that the caller provides for one batch, such as a device's staging memory.
     *
     * @param inputs at least {@link #inputBytes} long, aligned to 4 bytes
     * @param targets at least {@link #targetBytes} long, aligned to 4 bytes
     */
    public record Buffer(MemorySegment inputs, MemorySegment targets) {}

    private final LoaderOptions options;
    private final int batchesPerEpoch;
    private final Arena arena;
    private final BatchRing ring;
    private final List<Thread> workers = new ArrayList<>();
    private boolean closed;

    /** A loader with buffers of its own. */
    public DataLoader(Dataset dataset, LoaderOptions options) {
        this(dataset, options, Arena.ofShared(), List.of());
    }

    /** A loader that fills the caller's buffers, one for each batch that exists at once; the caller frees them later. */
    public DataLoader(Dataset dataset, LoaderOptions options, List<Buffer> buffers) {
        this(dataset, options, Arena.ofShared(), check(dataset, options, buffers));
    }

    private DataLoader(Dataset dataset, LoaderOptions options, Arena arena, List<Buffer> given) {
        this.options = options;
        this.arena = arena;
        try {
            this.batchesPerEpoch = batchesPerEpoch(dataset, options);
            var buffers = new ArrayList<>(given);
            int count = options.workers() == 0 ? 1 : options.buffers();
            while (given.isEmpty() && buffers.size() < count) {
                buffers.add(new Buffer(
                        arena.allocate(inputBytes(dataset, options.batchSize()), 64),
                        arena.allocate(targetBytes(dataset, options.batchSize()), 64)));
            }
            this.ring = new BatchRing(
                    dataset.size(),
                    batchesPerEpoch,
                    options,
                    buffers,
                    dataset instanceof ImageDataset,
                    options.workers() == 0 ? rows(dataset) : null);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
        for (int i = 0; i < options.workers(); i++) {
            RowWriter rows = rows(dataset);
            workers.add(Thread.ofPlatform()
                    .daemon()
                    .name("kingfisher-data-" + dataset.name() + "-" + i)
                    .start(() -> ring.work(rows)));
        }
    }

    /** Bytes of a batch's inputs: 4*N*C*H*W for images, 4*N*T for text. */
    public static long inputBytes(Dataset dataset, int batchSize) {
        return switch (dataset) {
            case ImageDataset images -> 4L * batchSize * images.pixelCount();
            case TokenDataset tokens -> 4L * batchSize * tokens.context();
        };
    }

    /** Bytes of a batch's targets: 4*N for images, 4*N*T for text. */
    public static long targetBytes(Dataset dataset, int batchSize) {
        return switch (dataset) {
            case ImageDataset images -> 4L * batchSize;
            case TokenDataset tokens -> 4L * batchSize * tokens.context();
        };
    }

    public LoaderOptions options() {
        return options;
    }

    public int batchesPerEpoch() {
        return batchesPerEpoch;
    }

    /** The position of the batch that the next call of {@link #next()} returns. */
    public Position position() {
        requireOpen();
        return ring.position();
    }

    /**
     * The next batch, waiting until it is ready. The batch before it is given back to be filled again.
     *
     * @throws KingfisherException where a sample cannot be read; the loader cannot go on then, except by {@link #seek}
     */
    public Batch next() {
        requireOpen();
        return ring.next();
    }

    /** Continues at a position, as if all batches before it had been taken. */
    public void seek(Position position) {
        requireOpen();
        if (position.batch() > batchesPerEpoch) {
            throw new KingfisherException(
                    "the data position is batch %d of an epoch of %d batches: it was saved with other data or another batch size"
                            .formatted(position.batch(), batchesPerEpoch));
        }
        if (position.batch() == batchesPerEpoch) {
            ring.seek(position.epoch() + 1, 0);
        } else {
            ring.seek(position.epoch(), position.batch());
        }
    }

    /** Stops the workers, waits for them and frees the loader's own buffers. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        ring.stop();
        boolean interrupted = false;
        for (Thread worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        arena.close();
    }

    private void requireOpen() {
        if (closed) {
            throw new KingfisherException("the data loader is closed");
        }
    }

    private RowWriter rows(Dataset dataset) {
        return switch (dataset) {
            case ImageDataset images -> new ImageRows(images, options.augmentation(), options.seed());
            case TokenDataset tokens -> new TokenRows(tokens, options.shuffle(), options.seed());
        };
    }

    private static int batchesPerEpoch(Dataset dataset, LoaderOptions options) {
        if (dataset instanceof TokenDataset tokens) {
            if (!options.augmentation().isNone()) {
                throw new KingfisherException(dataset.name() + ": crop, flip and cutout are for images, not for text");
            }
            if (options.shuffle() && tokens.tokenCount() <= tokens.context()) {
                throw new KingfisherException(
                        "%s: the %s text has %d tokens, too few for a window of %d and its targets"
                                .formatted(
                                        dataset.name(),
                                        dataset.split().label(),
                                        tokens.tokenCount(),
                                        tokens.context()));
            }
        }
        int size = dataset.size();
        int count = options.dropLast() ? size / options.batchSize() : (size - 1) / options.batchSize() + 1;
        if (size < 1 || count == 0) {
            throw new KingfisherException(
                    "%s: the %s split has %d samples, fewer than one batch of %d, and partial batches are dropped; choose a smaller mini_batch_size"
                            .formatted(dataset.name(), dataset.split().label(), size, options.batchSize()));
        }
        return count;
    }

    private static List<Buffer> check(Dataset dataset, LoaderOptions options, List<Buffer> buffers) {
        if (buffers.isEmpty()) {
            throw new KingfisherException("a data loader needs at least one buffer to fill");
        }
        for (Buffer buffer : buffers) {
            check("inputs", buffer.inputs(), inputBytes(dataset, options.batchSize()));
            check("targets", buffer.targets(), targetBytes(dataset, options.batchSize()));
        }
        return List.copyOf(buffers);
    }

    private static void check(String what, MemorySegment segment, long bytes) {
        boolean aligned = segment.maxByteAlignment() >= ValueLayout.JAVA_INT.byteAlignment();
        if (segment.byteSize() < bytes || segment.isReadOnly() || !aligned) {
            throw new KingfisherException(
                    "a data loader's buffer for %s must be writable, aligned to 4 bytes and at least %d bytes long, not %d"
                            .formatted(what, bytes, segment.byteSize()));
        }
    }
}
