package io.kingfisher.runtime.cpu.kernels;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A loop that starts with single elements, which even the interpreter runs at a bearable speed, and changes to vectors when
 * these are compiled. Both give the same bits, so the moment does not matter.
 */
final class AdaptiveLoop {
    /** The operations on elements after which vectors are worth their compilation, some hundred milliseconds. */
    private static final long WARM = 50_000_000;

    private final LoopSpec spec;
    private final CompletableFuture<Loop> first;
    private final Promoter promoter;
    private volatile Loop current;
    private final AtomicBoolean requested = new AtomicBoolean();
    private long work;
    /** The next loop in the promoter's queue. */
    AdaptiveLoop next;

    /**
     * @param first what runs at first, which may still be being written
     * @param promoter who replaces it by vectors, null for nobody
     */
    AdaptiveLoop(LoopSpec spec, CompletableFuture<Loop> first, Promoter promoter) {
        this.spec = spec;
        this.first = first;
        this.promoter = promoter;
    }

    LoopSpec spec() {
        return spec;
    }

    /** Waits until the loop can run: before the first run. */
    AdaptiveLoop ready() {
        if (current == null) {
            current = first.join();
        }
        return this;
    }

    void replace(Loop loop) {
        current = loop;
    }

    /** As {@link Loop#run}. */
    void run(long[] at, long[] steps, int rows, int n) {
        current.run(at, steps, rows, n);
        if (promoter != null && work >= 0) {
            // Threads may lose each other's counts: this is but an estimate.
            work += (long) rows * n * spec.code().size();
            if (work > WARM) {
                work = Long.MIN_VALUE;
                // Two threads may both get here, and a loop that is twice in the queue makes it a circle.
                if (requested.compareAndSet(false, true)) {
                    promoter.request(this);
                }
            }
        }
    }
}
