package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * How many threads the native libraries use: two pools, the one of oneDNN's OpenMP runtime and the one of OpenBLAS.
 *
 * <p>OpenMP counts per calling thread: {@link #setOpenMp} holds for parallel regions that the calling Java thread enters, and
 * other threads keep the runtime's default ({@code OMP_NUM_THREADS}, else all processors). So it is called on the thread
 * that creates and executes primitives, or the default is set for all by {@link #setDefault} before oneDNN is loaded.
 */
@SuppressWarnings("restricted")
public final class NativeThreads {
    /**
     * How often a waiting thread of GNU's OpenMP looks for work before it sleeps: some tenths of a millisecond, longer than the
     * steps of a program keep it waiting. Its own default, some milliseconds, holds a core that others need.
     */
    private static final int SPINS = 20_000;

    private NativeThreads() {}

    /** Of the OpenMP runtime that oneDNN itself is linked to: found through oneDNN's handle, whichever runtime it is. */
    private static final class OpenMp {
        static final MethodHandle SET = link("omp_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
        static final MethodHandle GET = link("omp_get_max_threads", FunctionDescriptor.of(JAVA_INT));

        private OpenMp() {}

        private static MethodHandle link(String function, FunctionDescriptor descriptor) {
            MemorySegment address = Libraries.symbols("dnnl").findOrThrow(function);
            return Linker.nativeLinker().downcallHandle(address, descriptor);
        }
    }

    /**
     * Sets how many threads both pools use when nothing else is said, and how long OpenMP's threads wait by spinning unless
     * {@code GOMP_SPINCOUNT} or {@code OMP_WAIT_POLICY} says so; to be called before oneDNN is loaded.
     *
     * @throws IllegalStateException if oneDNN is loaded already
     */
    public static void setDefault(int threads) {
        NativeMemory.setenv("OMP_NUM_THREADS", Integer.toString(positive(threads)));
        if (System.getenv("GOMP_SPINCOUNT") == null && System.getenv("OMP_WAIT_POLICY") == null) {
            NativeMemory.setenv("GOMP_SPINCOUNT", Integer.toString(SPINS));
        }
        setOpenBlas(threads);
    }

    /** Sets how many threads oneDNN uses when the calling thread calls it: C's {@code omp_set_num_threads}. */
    public static void setOpenMp(int threads) {
        Libraries.dnnl();
        try {
            OpenMp.SET.invokeExact(positive(threads));
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Returns how many threads oneDNN uses when the calling thread calls it: C's {@code omp_get_max_threads}. */
    public static int openMp() {
        Libraries.dnnl();
        try {
            return (int) OpenMp.GET.invokeExact();
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Sets how many threads OpenBLAS uses, whoever calls it: C's {@code openblas_set_num_threads}. */
    public static void setOpenBlas(int threads) {
        Libraries.openblas();
        cblas_h.openblas_set_num_threads(positive(threads));
    }

    /** Returns how many threads OpenBLAS uses: C's {@code openblas_get_num_threads}. */
    public static int openBlas() {
        Libraries.openblas();
        return cblas_h.openblas_get_num_threads();
    }

    private static int positive(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("the number of threads must be 1 or more, not " + threads);
        }
        return threads;
    }
}
