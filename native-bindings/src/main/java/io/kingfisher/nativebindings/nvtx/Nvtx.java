package io.kingfisher.nativebindings.nvtx;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeLibraryException;
import io.kingfisher.nativebindings.nvtx.generated.nvtx_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Named ranges for profilers; does nothing where NVTX is not there. A name is kept in native memory from its first use to
 * the end of the JVM, so that using it again allocates nothing: names are to be few.
 */
public final class Nvtx {
    private static final boolean AVAILABLE = available();
    private static final ConcurrentMap<String, MemorySegment> NAMES = new ConcurrentHashMap<>();

    private Nvtx() {}

    private static boolean available() {
        try {
            CudaLibrary.NVTX.load();
            return true;
        } catch (NativeLibraryException e) {
            return false;
        }
    }

    /** Whether NVTX was found. */
    public static boolean isAvailable() {
        return AVAILABLE;
    }

    /** {@code nvtxRangePushA}: begins a range on this thread, inside those begun before. */
    public static void push(String name) {
        if (AVAILABLE) {
            int _ = nvtx_h.nvtxRangePushA(text(name));
        }
    }

    /** {@code nvtxRangePop}: ends the innermost range of this thread. */
    public static void pop() {
        if (AVAILABLE) {
            int _ = nvtx_h.nvtxRangePop();
        }
    }

    /** {@code nvtxMarkA}: marks a moment. */
    public static void mark(String name) {
        if (AVAILABLE) {
            nvtx_h.nvtxMarkA(text(name));
        }
    }

    private static MemorySegment text(String name) {
        var text = NAMES.get(name);
        return text == null ? NAMES.computeIfAbsent(name, Arena.global()::allocateFrom) : text;
    }
}
