package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.nativebindings.OpenMpTeam;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads for loops over data: the caller and {@code threads - 1} others, which are those of oneDNN's OpenMP runtime where
 * these can be had, else daemons of our own. What a part computes depends on its number alone, whoever happens to run it, so
 * results do not depend on timing. Daemons are not waited for before they begin: the caller takes the parts that nobody has
 * taken. Running a task allocates nothing.
 */
public final class Workers implements AutoCloseable {
    /** A loop's body. */
    @FunctionalInterface
    public interface Task {
        void run(int part);
    }

    /** How often an idle thread looks for work before it sleeps: some tens of microseconds. */
    private static final int SPINS = 1000;

    private static final int MOST_PARTS = 0xffff;

    private final int count;
    /** The OpenMP runtime's threads, or null. */
    private final OpenMpTeam team;

    private final Thread[] threads;
    private final Sleeper[] sleepers;
    private final AtomicBoolean busy = new AtomicBoolean();
    /** The current task's number (32 bits), its parts (16 bits) and the next part to take (16 bits), changed as one. */
    private final AtomicLong ticket = new AtomicLong();

    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private Task task;
    private volatile boolean closed;

    /** Whether a thread sleeps, in an object of its own so that the caller can wake it without allocating. */
    private static final class Sleeper {
        volatile boolean asleep;
    }

    /** Starts {@code threads - 1} daemon threads. */
    public Workers(int threads) {
        this(threads, false);
    }

    /** The OpenMP runtime's threads, which the libraries use too; where there are none to be had, daemon threads. */
    public static Workers shared(int threads) {
        return new Workers(threads, threads > 1);
    }

    private Workers(int threads, boolean shared) {
        this.count = threads;
        this.team = shared ? OpenMpTeam.of(threads, this::takeParts).orElse(null) : null;
        int daemons = team == null ? threads - 1 : 0;
        this.threads = new Thread[daemons];
        this.sleepers = new Sleeper[daemons];
        for (int i = 0; i < daemons; i++) {
            Sleeper sleeper = new Sleeper();
            sleepers[i] = sleeper;
            this.threads[i] = Thread.ofPlatform()
                    .daemon()
                    .name("kingfisher-worker-" + (i + 1))
                    .unstarted(() -> work(sleeper));
        }
        for (Thread thread : this.threads) {
            thread.start();
        }
    }

    /** The threads that compute, the caller's included. */
    public int threads() {
        return count;
    }

    /**
     * Runs parts 0 to {@code parts - 1}, each once, and returns when all have ended. A call from inside a task, or while
     * another thread's task runs, does all parts itself.
     *
     * @throws RuntimeException or an Error, the first that a part threw, after all parts have ended
     */
    public void run(Task work, int parts) {
        if (parts <= 1 || count == 1 || parts > MOST_PARTS || !busy.compareAndSet(false, true)) {
            for (int part = 0; part < parts; part++) {
                work.run(part);
            }
            return;
        }
        try {
            share(work, parts);
        } finally {
            busy.set(false);
        }
    }

    private void share(Task work, int parts) {
        task = work;
        finished.set(0);
        long number = (ticket.get() >>> 32) + 1;
        ticket.set(number << 32 | (long) parts << 16);
        if (team != null) {
            team.run();
        } else {
            withDaemons(parts);
        }
        task = null;
        Throwable thrown = failure.getAndSet(null);
        if (thrown instanceof Error error) {
            throw error;
        } else if (thrown != null) {
            throw (RuntimeException) thrown;
        }
    }

    private void withDaemons(int parts) {
        for (int i = 0; i < Math.min(parts - 1, threads.length); i++) {
            if (sleepers[i].asleep) {
                LockSupport.unpark(threads[i]);
            }
        }
        takeParts();
        for (int spins = 0; finished.get() < parts; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    /** Runs parts of the current task until all are taken. */
    private void takeParts() {
        while (true) {
            long t = ticket.get();
            int next = (int) (t & 0xffff);
            if (next >= (int) (t >>> 16 & 0xffff)) {
                return;
            }
            // A part is left, so the task cannot end and be replaced unless the exchange below fails.
            Task current = task;
            if (ticket.compareAndSet(t, t + 1)) {
                try {
                    current.run(next);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                } finally {
                    finished.incrementAndGet();
                }
            }
        }
    }

    private boolean workLeft() {
        long t = ticket.get();
        return (t & 0xffff) < (t >>> 16 & 0xffff);
    }

    private void work(Sleeper sleeper) {
        while (!closed) {
            takeParts();
            int spins = 0;
            while (!workLeft() && !closed) {
                if (spins++ < SPINS) {
                    Thread.onSpinWait();
                    continue;
                }
                sleeper.asleep = true;
                if (!workLeft() && !closed) {
                    LockSupport.park(this);
                }
                sleeper.asleep = false;
            }
        }
    }

    /** Ends the threads and waits until they have ended. */
    @Override
    public void close() {
        closed = true;
        if (team != null) {
            team.close();
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
