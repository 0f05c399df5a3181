package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;

/**
 * Java code on the threads of the OpenMP runtime that oneDNN is linked to, as the body of a parallel region: C's
 * {@code #pragma omp parallel num_threads(n)}. The threads that a region leaves spin for a moment before they sleep. So where
 * regions of oneDNN's and of Java's alternate, one region begins within a microsecond of the other, whereas two pools would
 * take the cores from each other. The runtime keeps a pool for each thread that enters regions.
 */
@SuppressWarnings("restricted")
public final class OpenMpTeam implements AutoCloseable {
    /** GNU's entry, through oneDNN's handle; LLVM's runtime has it too, where it stands in for GNU's. */
    private static final class Entry {
        static final Optional<MethodHandle> PARALLEL = find();

        private Entry() {}

        private static Optional<MethodHandle> find() {
            SymbolLookup symbols = Libraries.symbols("dnnl");
            return symbols.find("GOMP_parallel")
                    .map(address -> Linker.nativeLinker()
                            .downcallHandle(address, FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_INT, JAVA_INT)));
        }
    }

    private final Arena arena = Arena.ofShared();
    private final MethodHandle parallel;
    private final MemorySegment entry;
    private final int threads;

    private OpenMpTeam(MethodHandle parallel, int threads, Runnable body) {
        this.parallel = parallel;
        this.threads = threads;
        // C hands over a pointer, in a register, which nobody needs to read.
        MemorySegment stub = Linker.nativeLinker().upcallStub(target(body), FunctionDescriptor.ofVoid(), arena);
        // Without a lifetime, so that calls need not hold the arena open.
        this.entry = MemorySegment.ofAddress(stub.address());
    }

    /**
     * A team; empty where the OpenMP runtime has no entry for code of others.
     *
     * @param body runs once on each thread; it must not throw, which would end the process
     */
    public static Optional<OpenMpTeam> of(int threads, Runnable body) {
        return Entry.PARALLEL.map(parallel -> new OpenMpTeam(parallel, threads, body));
    }

    private static MethodHandle target(Runnable body) {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                    .bindTo(body);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Runs the body on all threads, of which the caller is one, and returns when it has ended on each; allocates nothing. The
     * runtime may give fewer threads, and gives one inside another region.
     */
    public void run() {
        try {
            parallel.invokeExact(entry, MemorySegment.NULL, threads, 0);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Frees what C calls; nothing may be running. */
    @Override
    public void close() {
        arena.close();
    }
}
