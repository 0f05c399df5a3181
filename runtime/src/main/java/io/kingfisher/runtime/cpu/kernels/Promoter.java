package io.kingfisher.runtime.cpu.kernels;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that exercises the vector code of hot loops on memory of its own until the JIT compiler has compiled it, seen by
 * that it stops allocating vectors on the heap, and only then lets the loop use it. Vector code that never gets there stays
 * unused.
 */
final class Promoter implements AutoCloseable {
    private static final int VECTORS_PER_ROW = 20;
    private static final int CALLS = 200;
    private static final long LIMIT_NANOS = 5_000_000_000L;

    private final AtomicReference<AdaptiveLoop> queue = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean idle = true;

    Promoter() {
        thread = Thread.ofPlatform().daemon().name("kingfisher-promoter").unstarted(this::work);
        thread.start();
    }

    /** Asks for a loop's vectors; called once for each loop, allocates nothing. */
    void request(AdaptiveLoop loop) {
        do {
            loop.next = queue.get();
        } while (!queue.compareAndSet(loop.next, loop));
        LockSupport.unpark(thread);
    }

    /** Whether nothing is asked for any more. */
    boolean idle() {
        return idle && queue.get() == null;
    }

    private void work() {
        ThreadMXBean heap = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
        while (!closed) {
            idle = false;
            AdaptiveLoop loop = queue.getAndSet(null);
            if (loop == null) {
                idle = true;
                if (queue.get() == null) {
                    LockSupport.park(this);
                }
            }
            while (loop != null && !closed) {
                AdaptiveLoop following = loop.next;
                Loop vectors = Generator.loop(loop.spec(), true);
                if (exercise(loop.spec(), vectors, heap)) {
                    loop.replace(vectors);
                }
                loop = following;
            }
        }
    }

    private boolean exercise(LoopSpec spec, Loop loop, ThreadMXBean heap) {
        int most = VECTORS_PER_ROW * Math.max(spec.lanes(), VectorSupport.LENGTH) + 3;
        long bytes = 8L * most;
        long[] at = new long[spec.operands()], steps = new long[2 * spec.operands()];
        try (Arena arena = Arena.ofConfined()) {
            for (int k = 0; k < at.length; k++) {
                at[k] = arena.allocate(bytes, 64).address();
            }
            long start = System.nanoTime();
            int quiet = 0;
            while (quiet < 3) {
                long before = heap.getCurrentThreadAllocatedBytes();
                for (int call = 0; call < CALLS; call++) {
                    // All ways through the code, lest one be compiled as never taken.
                    int n = call % 16 == 0 ? 3 : call % 4 == 0 ? most - 3 : most;
                    loop.run(at, steps, 1 + call % 2, n);
                }
                long allocated = heap.getCurrentThreadAllocatedBytes() - before;
                quiet = allocated == 0 ? quiet + 1 : 0;
                if (closed || System.nanoTime() - start > LIMIT_NANOS) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Ends the thread and waits for its end. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            LockSupport.unpark(thread);
            try {
                thread.join(10);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
