package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.NativeHandle;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongFunction;

/** A library's handles, one for each stream: a handle's stream and workspace are set once, as setting them is what goes wrong. */
final class Handles implements AutoCloseable {
    private final LongFunction<NativeHandle> open;
    private final Map<Long, NativeHandle> handles = new HashMap<>();
    private long last;
    private MemorySegment lastHandle;

    /** @param open makes a handle for a stream */
    Handles(LongFunction<NativeHandle> open) {
        this.open = open;
    }

    /** The handle of a stream; the same stream again costs nothing. */
    MemorySegment of(long stream) {
        if (lastHandle == null || last != stream) {
            lastHandle = handles.computeIfAbsent(stream, open::apply).handle();
            last = stream;
        }
        return lastHandle;
    }

    @Override
    public void close() {
        lastHandle = null;
        handles.values().forEach(NativeHandle::close);
        handles.clear();
    }
}
