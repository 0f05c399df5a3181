package io.kingfisher.nativebindings;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToIntFunction;

/** Owns an object of one of NVIDIA's libraries: closing it destroys the object, and a closed one fails with a message. */
public final class NativeHandle implements AutoCloseable {
    private static final AtomicLong LIVE = new AtomicLong();

    private final MemorySegment handle;
    private final String what;
    private final Destruction destruction;
    private boolean closed;

    /** What is done with the status of a function: throws where it says that the function failed. */
    public interface Check {
        /**
         * Checks a status.
         *
         * @param function the C function's name
         * @throws NativeException named after the function, if the status is not that of success
         */
        void check(String function, int status);
    }

    private record Destruction(String function, ToIntFunction<MemorySegment> destroy, Check check) {}

    /**
     * Owns an object that was just made.
     *
     * @param handle what the library calls it by
     * @param what its C type, for messages, such as {@code cublasHandle_t}
     * @param destroyFunction the name of the C function that destroys it
     * @param destroy calls that function
     * @param check checks its status
     */
    public NativeHandle(
            MemorySegment handle,
            String what,
            String destroyFunction,
            ToIntFunction<MemorySegment> destroy,
            Check check) {
        this.handle = handle;
        this.what = what;
        this.destruction = new Destruction(destroyFunction, destroy, check);
        LIVE.incrementAndGet();
    }

    /**
     * Returns the object's address, for the generated functions.
     *
     * @throws IllegalStateException if it is closed
     */
    public MemorySegment handle() {
        if (closed) {
            throw new IllegalStateException("this " + what + " has been closed");
        }
        return handle;
    }

    /** Destroys the object; the second time does nothing. Nothing else may be using it. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        LIVE.decrementAndGet();
        destruction.check.check(destruction.function, destruction.destroy.applyAsInt(handle));
    }

    /** Returns how many objects are open in this JVM, for tests that look for leaks. */
    public static long live() {
        return LIVE.get();
    }

    @Override
    public String toString() {
        return what + (closed ? " (closed)" : " at 0x" + Long.toHexString(handle.address()));
    }
}
