package io.kingfisher.nativebindings.dnnl;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToIntFunction;

/** Owns an object of oneDNN's: closing it destroys the object, and a closed one fails with a message. */
public abstract sealed class DnnlHandle implements AutoCloseable
        permits DnnlAttributes,
                DnnlEngine,
                DnnlMemory,
                DnnlMemoryDesc,
                DnnlPostOps,
                DnnlPrimitive,
                DnnlPrimitiveDesc,
                DnnlStream {
    private static final AtomicLong LIVE = new AtomicLong();

    private final MemorySegment handle;
    private final String destroyFunction;
    private final ToIntFunction<MemorySegment> destroy;
    private boolean closed;

    DnnlHandle(MemorySegment handle, String destroyFunction, ToIntFunction<MemorySegment> destroy) {
        this.handle = handle;
        this.destroyFunction = destroyFunction;
        this.destroy = destroy;
        LIVE.incrementAndGet();
    }

    /**
     * Returns the object's address, for the functions of {@code dnnl_h}.
     *
     * @throws IllegalStateException if it is closed
     */
    public final MemorySegment handle() {
        if (closed) {
            throw new IllegalStateException("this " + getClass().getSimpleName() + " has been closed");
        }
        return handle;
    }

    /** Destroys the object; the second time does nothing. Nothing else may be using it. */
    @Override
    public final void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        LIVE.decrementAndGet();
        Dnnl.check(destroyFunction, destroy.applyAsInt(handle));
    }

    /** Returns how many objects of oneDNN's are open in this JVM, for tests that look for leaks. */
    public static long live() {
        return LIVE.get();
    }
}
