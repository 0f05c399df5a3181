package io.kingfisher.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.CyclicBarrier;

/** Bytes that several threads read and write a second while each copies its part of a large array: STREAM's copy. */
public final class CopyPeak implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment from, to;
    private final CyclicBarrier start, end;
    private final Thread[] workers;
    private volatile boolean closed;

    /**
     * @param bytes of the array, several times those of the last cache
     */
    public CopyPeak(int threads, long bytes) {
        from = arena.allocate(bytes, ALIGNMENT);
        to = arena.allocate(bytes, ALIGNMENT);
        // Pages that were never written all map to one page of zeros, which would measure the cache.
        from.fill((byte) 1);
        to.fill((byte) 2);
        start = new CyclicBarrier(threads);
        end = new CyclicBarrier(threads);
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            int part = i + 1;
            workers[i] = Thread.ofPlatform().daemon().start(() -> work(part));
        }
    }

    private void work(int part) {
        while (true) {
            await(start);
            if (closed) {
                return;
            }
            part(part);
            await(end);
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException("a thread that copies was interrupted", e);
        }
    }

    private void part(int part) {
        long size = from.byteSize(), parts = workers.length + 1;
        long begin = size * part / parts, end = size * (part + 1) / parts;
        MemorySegment.copy(from, begin, to, begin, end - begin);
    }

    /** Copies once. */
    public void copy() {
        await(start);
        part(0);
        await(end);
    }

    /** Bytes read and written by a copy. */
    public long moved() {
        return 2 * from.byteSize();
    }

    /** Bytes read and written a second, the median of some copies. */
    public double bytesPerSecond() {
        long[] nanos = new long[20];
        for (int i = -3; i < nanos.length; i++) {
            long began = System.nanoTime();
            copy();
            nanos[Math.max(i, 0)] = System.nanoTime() - began;
        }
        Arrays.sort(nanos);
        return moved() / (nanos[nanos.length / 2] / 1e9);
    }

    @Override
    public void close() {
        closed = true;
        await(start);
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        arena.close();
    }
}
