package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.List;

/**
 * The buffers of a loader, and who may touch which of them when. Batches are numbered from the last seek on; batch
 * {@code b} lives in slot {@code b % slots}. Slots are opened in order (their samples drawn), filled in chunks of rows
 * by whoever claims them, handed to the caller in order, and opened again after the caller's next call.
 *
 * <p>Plain monitors are used because waiting on them allocates nothing.
 */
final class BatchRing {
    /** Rows claimed at once: few enough to share one batch among workers, enough not to fight over the lock. */
    private static final int CHUNK = 16;

    private static final class Slot {
        final Batch batch;
        final int[] samples;
        int claimed;
        int filled;

        Slot(Batch batch, int rows) {
            this.batch = batch;
            this.samples = new int[rows];
        }
    }

    private final int samples;
    private final int batchesPerEpoch;
    private final int rows;
    private final Slot[] slots;
    private final EpochOrder order;
    private final RowWriter inline;

    // The rest is guarded by this object's monitor.
    private int openEpoch;
    private int openIndex;
    private int takeEpoch;
    private int takeIndex;
    private long opened;
    private long taken;
    private long released;
    private int busy;
    private boolean paused;
    private boolean stopped;
    private boolean lost;
    private Throwable failure;

    /**
     * @param inline fills batches on the caller's thread; null where workers do
     * @param permute whether shuffling means permuting the samples
     */
    BatchRing(
            int samples,
            int batchesPerEpoch,
            LoaderOptions options,
            List<DataLoader.Buffer> buffers,
            boolean permute,
            RowWriter inline) {
        this.samples = samples;
        this.batchesPerEpoch = batchesPerEpoch;
        this.rows = options.batchSize();
        this.inline = inline;
        this.slots = new Slot[buffers.size()];
        for (int i = 0; i < slots.length; i++) {
            slots[i] =
                    new Slot(new Batch(buffers.get(i).inputs(), buffers.get(i).targets(), i), rows);
        }
        this.order = new EpochOrder(samples, options.shuffle() && permute, options.seed());
        order.begin(0, 0);
    }

    synchronized Position position() {
        return new Position(takeEpoch, takeIndex);
    }

    /** Throws away what was made ahead and continues at a position. */
    synchronized void seek(int epoch, int index) {
        paused = true;
        try {
            while (busy > 0) {
                await();
            }
        } finally {
            paused = false;
        }
        failure = lost ? failure : null;
        opened = 0;
        taken = 0;
        released = 0;
        openEpoch = epoch;
        openIndex = index;
        takeEpoch = epoch;
        takeIndex = index;
        order.begin(epoch, index * rows);
        notifyAll();
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }

    synchronized Batch next() {
        released = taken;
        notifyAll();
        Slot slot = slots[(int) (taken % slots.length)];
        if (inline != null && failure == null) {
            open();
            try {
                slot.batch.targetCount = fill(slot, 0, rows, inline);
                slot.filled = rows;
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }
        while (opened <= taken || slot.filled < rows) {
            if (failure instanceof KingfisherException known) {
                throw new KingfisherException(known.getMessage(), known);
            }
            if (failure != null) {
                throw new KingfisherException("cannot read a batch of data: " + failure, failure);
            }
            await();
        }
        taken++;
        takeIndex++;
        if (takeIndex == batchesPerEpoch) {
            takeIndex = 0;
            takeEpoch++;
        }
        return slot.batch;
    }

    /** What a worker does until the loader is closed. */
    void work(RowWriter writer) {
        try {
            fillUntilStopped(writer);
        } catch (Throwable e) { // A worker that dies must not leave the caller waiting.
            synchronized (this) {
                lost = true;
                failure = e;
                notifyAll();
            }
        }
    }

    private void fillUntilStopped(RowWriter writer) {
        while (true) {
            Slot slot;
            int from;
            int to;
            synchronized (this) {
                slot = claimable();
                while (slot == null && !stopped) {
                    await();
                    slot = claimable();
                }
                if (stopped) {
                    return;
                }
                from = slot.claimed;
                to = Math.min(rows, from + CHUNK);
                slot.claimed = to;
                busy++;
            }
            int targets = 0;
            Throwable error = null;
            try {
                targets = fill(slot, from, to, writer);
            } catch (Throwable e) { // Whatever it is, the caller of next() must hear of it instead of waiting forever.
                error = e;
            }
            synchronized (this) {
                busy--;
                if (error == null) {
                    slot.batch.targetCount += targets;
                    slot.filled += to - from;
                } else if (failure == null) {
                    failure = error;
                }
                if (slot.filled == rows || error != null || paused) {
                    notifyAll();
                }
            }
        }
    }

    /** The slot with the next rows to fill; null where there is nothing to do now. */
    private Slot claimable() {
        if (paused || stopped || failure != null) {
            return null;
        }
        if (opened > 0) {
            Slot newest = slots[(int) ((opened - 1) % slots.length)];
            if (newest.claimed < rows) {
                return newest;
            }
        }
        return opened - released < slots.length ? open() : null;
    }

    /** Draws the samples of the next batch. */
    private Slot open() {
        Slot slot = slots[(int) (opened++ % slots.length)];
        Batch batch = slot.batch;
        batch.epoch = openEpoch;
        batch.index = openIndex;
        batch.last = openIndex + 1 == batchesPerEpoch;
        batch.size = Math.min(rows, samples - openIndex * rows);
        batch.targetCount = 0;
        slot.claimed = 0;
        slot.filled = 0;
        for (int i = 0; i < batch.size; i++) {
            slot.samples[i] = order.next();
        }
        openIndex++;
        if (batch.last) {
            openIndex = 0;
            openEpoch++;
            order.begin(openEpoch, 0);
        }
        return slot;
    }

    private int fill(Slot slot, int from, int to, RowWriter writer) {
        Batch batch = slot.batch;
        int targets = 0;
        for (int row = from; row < to; row++) {
            if (row < batch.size) {
                int position = batch.index * rows + row;
                targets += writer.write(slot.samples[row], batch.epoch, position, row, batch.inputs, batch.targets);
            } else {
                writer.blank(row, batch.inputs, batch.targets);
            }
        }
        return targets;
    }

    @SuppressWarnings("WaitNotInLoop") // Every caller loops.
    private void await() {
        try {
            wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KingfisherException("interrupted while waiting for a batch of data", e);
        }
    }
}
