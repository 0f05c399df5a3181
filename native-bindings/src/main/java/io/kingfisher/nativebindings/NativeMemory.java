package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/** Memory outside of the Java heap, and the C library's environment. */
@SuppressWarnings("restricted")
public final class NativeMemory {
    /**
     * All memory, addressed by absolute address: {@code ALL.get(JAVA_FLOAT, address)}. A constant without bounds that
     * matter or a lifetime, so that the JIT compiler keeps no check inside a loop; a wrong address crashes the JVM.
     */
    public static final MemorySegment ALL = all();

    /** The alignment of every allocation: a cache line, and a 512-bit vector. */
    public static final long ALIGNMENT = 64;

    /** The size and the alignment of a huge page on x86-64. */
    static final long HUGE_PAGE = 2L << 20;

    private static final boolean WINDOWS =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    private static final boolean LINUX =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux");
    private static final int MADV_HUGEPAGE = 14;

    // void *aligned_alloc(size_t alignment, size_t size), and Microsoft's counterpart with the arguments the other way
    private static final MethodHandle ALLOCATE =
            link(WINDOWS ? "_aligned_malloc" : "aligned_alloc", FunctionDescriptor.of(ADDRESS, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FREE =
            link(WINDOWS ? "_aligned_free" : "free", FunctionDescriptor.ofVoid(ADDRESS));
    private static final MethodHandle SETENV = WINDOWS
            ? link("_putenv_s", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS))
            : link("setenv", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    private static final MethodHandle MADVISE =
            LINUX ? link("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT)) : null;

    private NativeMemory() {}

    private static MemorySegment all() {
        Libraries.requireNativeAccess();
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    private static MethodHandle link(String function, FunctionDescriptor descriptor) {
        var linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), descriptor);
    }

    /** Returns the memory at an address as a segment without a lifetime. */
    public static MemorySegment segment(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /**
     * Allocates zeroed memory, aligned to {@value #ALIGNMENT} bytes. A block of 2 MiB or more is aligned to huge pages, and
     * the kernel is asked to use them.
     *
     * @param bytes the size, 0 or more
     * @throws IllegalArgumentException if {@code bytes} is negative
     * @throws OutOfMemoryError if the system has not as much
     */
    public static NativeBlock allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("cannot allocate " + bytes + " bytes");
        }
        long alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
        // C wants the size to be a multiple of the alignment; and a whole number of pages can all be huge.
        long rounded = Math.max(alignment, roundUp(bytes, alignment));
        try {
            var memory = rounded < bytes
                    ? MemorySegment.NULL
                    : WINDOWS
                            ? (MemorySegment) ALLOCATE.invokeExact(rounded, alignment)
                            : (MemorySegment) ALLOCATE.invokeExact(alignment, rounded);
            if (memory.address() == 0) {
                throw new OutOfMemoryError("the system has no " + bytes + " bytes of native memory left");
            }
            if (MADVISE != null && alignment == HUGE_PAGE) {
                // Advice only: where the kernel has no huge pages the memory serves as it is.
                int ignored = (int) MADVISE.invokeExact(memory, rounded, MADV_HUGEPAGE);
            }
            return new NativeBlock(memory.reinterpret(bytes).fill((byte) 0));
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static long roundUp(long bytes, long alignment) {
        return (bytes + alignment - 1) & -alignment;
    }

    static void free(MemorySegment memory) {
        try {
            FREE.invokeExact(memory);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Sets a variable in the environment that native libraries see ({@link System#getenv} does not).
     *
     * @throws IllegalStateException if it is a variable of the OpenMP runtime, {@code OMP_*} or {@code GOMP_*}, and that
     *     has been loaded with oneDNN already: it reads them once
     */
    public static void setenv(String name, String value) {
        boolean late =
                Libraries.loaded().stream().anyMatch(library -> library.name().equals("dnnl"));
        if (late && (name.startsWith("OMP_") || name.startsWith("GOMP_") || name.startsWith("KMP_"))) {
            throw new IllegalStateException(name
                    + " must be set before oneDNN is loaded, for its OpenMP runtime has read the environment by now");
        }
        try (var arena = Arena.ofConfined()) {
            var nameText = arena.allocateFrom(name);
            var valueText = arena.allocateFrom(value);
            int status = WINDOWS
                    ? (int) SETENV.invokeExact(nameText, valueText)
                    : (int) SETENV.invokeExact(nameText, valueText, 1);
            if (status != 0) {
                throw new IllegalArgumentException("\"" + name + "\" cannot be the name of an environment variable");
            }
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
