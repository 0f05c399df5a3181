package io.kingfisher.runtime.cpu.kernels;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that exercises the vector code of hot loops on memory of its own until the JIT compiler has compiled it, seen by
 * that it stops allocating vectors on the heap, and only then lets the loop use it. Loops take turns, so that the compiler has
 * all of them to work on and one that it does not manage keeps no other waiting. Vector code that does not get there in a minute
 * stays unused and is counted.
 */
final class Promoter implements AutoCloseable {
    private static final int VECTORS_PER_ROW = 20;
    /** Calls at a time: enough of these make the JIT compiler want the loop, and then it is left to its work. */
    private static final int CALLS = 100;

    /** The first calls run in the interpreter, at a microsecond for each vector: these are short. */
    private static final int SHORT_BATCHES = 3;

    private static final int BATCHES = 13;
    private static final int CALLS_WAITING = 8;
    static final long LIMIT_NANOS = 60_000_000_000L;

    private final long limitNanos;
    private final AtomicReference<AdaptiveLoop> queue = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean idle = true;
    private final AtomicInteger refused = new AtomicInteger();

    Promoter(long limitNanos) {
        this.limitNanos = limitNanos;
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

    /** The hot loops whose vectors never ran without heap allocation. */
    int refused() {
        return refused.get();
    }

    private void work() {
        ThreadMXBean heap = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
        Deque<Exercise> open = new ArrayDeque<>();
        int waiting = 0;
        while (!closed) {
            idle = false;
            for (AdaptiveLoop loop = queue.getAndSet(null); loop != null && !closed; loop = loop.next) {
                if (loop.spec().vectorizes(VectorSupport.length())) {
                    open.add(new Exercise(loop));
                }
            }
            Exercise exercise = open.poll();
            if (exercise == null) {
                idle = true;
                if (queue.get() == null) {
                    LockSupport.park(this);
                }
                continue;
            }
            boolean allocated = exercise.batch(heap);
            if (exercise.compiled()) {
                exercise.end();
            } else if (exercise.nanos() > limitNanos) {
                refused.incrementAndGet();
                exercise.close();
            } else {
                open.add(exercise);
            }
            waiting = allocated ? waiting + 1 : 0;
            if (waiting >= open.size() && !open.isEmpty() && !closed) {
                // All of them wait for the JIT compiler.
                waiting = 0;
                LockSupport.parkNanos(exercise.young() ? 1_000_000 : 5_000_000);
            }
        }
        open.forEach(Exercise::close);
    }

    /** One loop's vector code on its way to being compiled. */
    private static final class Exercise implements AutoCloseable {
        private final AdaptiveLoop target;
        private final Loop loop;
        private final Arena arena = Arena.ofConfined();
        private final long[] at, steps;
        private final int few, most;
        private final long start = System.nanoTime();
        private int batches, quiet;

        Exercise(AdaptiveLoop target) {
            this.target = target;
            LoopSpec spec = target.spec();
            loop = Generator.loop(spec, true);
            int vector = Math.max(spec.folds() ? spec.lanes() : 1, VectorSupport.length());
            few = vector + 3;
            most = VECTORS_PER_ROW * vector + 3;
            at = new long[spec.operands()];
            steps = new long[2 * spec.operands()];
            for (int k = 0; k < at.length; k++) {
                at[k] = arena.allocate(8L * most, 64).address();
            }
        }

        /** Runs the loop some times; whether that allocated. */
        boolean batch(ThreadMXBean heap) {
            int calls = young() || quiet > 0 ? CALLS : CALLS_WAITING;
            long before = heap.getCurrentThreadAllocatedBytes();
            for (int call = 0; call < calls; call++) {
                // All ways through the code, lest one be compiled as never taken.
                int n = call % 8 == 0 ? 3 : batches < SHORT_BATCHES ? few : call % 4 == 0 ? most - 3 : most;
                loop.run(at, steps, 1 + call % 2, n);
            }
            boolean allocated = heap.getCurrentThreadAllocatedBytes() > before;
            quiet = allocated ? 0 : quiet + 1;
            batches++;
            return allocated;
        }

        /** Whether the JIT compiler has not seen enough of it yet. */
        boolean young() {
            return batches < BATCHES;
        }

        /** Whether vectors stay in registers. */
        boolean compiled() {
            return quiet == 3;
        }

        long nanos() {
            return System.nanoTime() - start;
        }

        /** From now on the vectors are used. */
        void end() {
            target.replace(loop);
            close();
        }

        @Override
        public void close() {
            arena.close();
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
