package io.kingfisher.nativebindings.nvrtc;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Where NVRTC compiles: one program at a time in this process, on a thread with a large stack.
 *
 * <p>NVRTC may be called by several threads at once, says its documentation, and since CUDA 12.3 its optimizer runs in all of
 * them; NVRTC 13.1 has crashed in that, with two threads on a busy machine and nearly all of their stacks free. Its front end
 * recurses as deeply as its source is nested, for which the 1 MiB of a Java thread is too little.
 */
final class Compilations {
    private static final long STACK_BYTES = 64L << 20;

    /** NVRTC's state is the process's, and so is this. */
    private static final ReentrantLock ONE = new ReentrantLock();

    private Compilations() {}

    /** Does some work of the compiler and waits for it, also where this thread is interrupted meanwhile. */
    static <T> T alone(Supplier<T> work) {
        ONE.lock();
        try {
            var task = new FutureTask<>(work::get);
            Thread.ofPlatform()
                    .daemon()
                    .name("kingfisher-nvrtc")
                    .stackSize(STACK_BYTES)
                    .start(task);
            return await(task);
        } finally {
            ONE.unlock();
        }
    }

    private static <T> T await(FutureTask<T> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    // The compiler cannot be stopped halfway.
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
