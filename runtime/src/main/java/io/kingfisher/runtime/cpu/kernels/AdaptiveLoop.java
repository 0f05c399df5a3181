package io.kingfisher.runtime.cpu.kernels;

/**
 * A loop that starts with single elements, which even the interpreter runs at a bearable speed, and changes to vectors when
 * these are compiled. Both give the same bits, so the moment does not matter.
 */
final class AdaptiveLoop {
    /** The operations on elements after which vectors are worth their compilation, some hundred milliseconds. */
    private static final long WARM = 50_000_000;

    private final LoopSpec spec;
    private final Promoter promoter;
    private volatile Loop current;
    private long work;
    /** The next loop in the promoter's queue. */
    AdaptiveLoop next;

    AdaptiveLoop(LoopSpec spec, Loop first, Promoter promoter) {
        this.spec = spec;
        this.current = first;
        this.promoter = promoter;
    }

    LoopSpec spec() {
        return spec;
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
                promoter.request(this);
            }
        }
    }
}
