package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;

/** Asks one of NVIDIA's libraries that was just opened for its version; none of these calls needs a GPU. */
@SuppressWarnings("restricted")
final class CudaVersions {
    private CudaVersions() {}

    static LibraryVersions.Version of(CudaLibrary library, SymbolLookup symbols) {
        return switch (library) {
            case CUDA -> driver(number(symbols, "cuDriverGetVersion"));
            case NCCL -> {
                int version = number(symbols, "ncclGetVersion");
                yield version(List.of(version / 10000, version % 10000 / 100, version % 100), "");
            }
            case NVRTC -> nvrtc(symbols);
            case CUBLASLT -> properties(symbols, "cublasLtGetProperty", "");
            case CUBLAS -> properties(symbols, "cublasGetProperty", "");
            case CUSOLVER -> properties(symbols, "cusolverGetProperty", "");
            case CUDNN -> {
                long cuda = count(symbols, "cudnnGetCudartVersion");
                yield properties(symbols, "cudnnGetProperty", "for CUDA " + cuda / 1000 + "." + cuda % 1000 / 10);
            }
            // The interface has been version 3 from the first library of that name on.
            case NVTX -> version(List.of(3), "");
        };
    }

    /** What {@code cuDriverGetVersion} means, such as 12040. */
    static LibraryVersions.Version driver(int version) {
        return version(List.of(version / 1000, version % 1000 / 10), "the newest CUDA that it supports");
    }

    private static LibraryVersions.Version version(List<Integer> numbers, String details) {
        return new LibraryVersions.Version(numbers, details);
    }

    /** {@code status xGetProperty(libraryPropertyType type, int *value)}: major, minor and patch, numbered 0, 1 and 2. */
    private static LibraryVersions.Version properties(SymbolLookup symbols, String function, String details) {
        var handle = Linker.nativeLinker()
                .downcallHandle(address(symbols, function), FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
        try (var arena = Arena.ofConfined()) {
            var values = arena.allocate(JAVA_INT, 3);
            for (int i = 0; i < 3; i++) {
                check(function, (int) handle.invokeExact(i, values.asSlice(i * 4L, 4)));
            }
            return version(List.of(values.get(JAVA_INT, 0), values.get(JAVA_INT, 4), values.get(JAVA_INT, 8)), details);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    /** {@code nvrtcResult nvrtcVersion(int *major, int *minor)}. */
    private static LibraryVersions.Version nvrtc(SymbolLookup symbols) {
        var function = "nvrtcVersion";
        var handle = Linker.nativeLinker()
                .downcallHandle(address(symbols, function), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
        try (var arena = Arena.ofConfined()) {
            var major = arena.allocate(JAVA_INT);
            var minor = arena.allocate(JAVA_INT);
            check(function, (int) handle.invokeExact(major, minor));
            return version(List.of(major.get(JAVA_INT, 0), minor.get(JAVA_INT, 0)), "");
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    /** A {@code status f(int *version)}. */
    private static int number(SymbolLookup symbols, String function) {
        var handle = Linker.nativeLinker()
                .downcallHandle(address(symbols, function), FunctionDescriptor.of(JAVA_INT, ADDRESS));
        try (var arena = Arena.ofConfined()) {
            var value = arena.allocate(JAVA_INT);
            check(function, (int) handle.invokeExact(value));
            return value.get(JAVA_INT, 0);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    /** A {@code size_t f(void)}. */
    private static long count(SymbolLookup symbols, String function) {
        var handle = Linker.nativeLinker()
                .downcallHandle(
                        address(symbols, function), FunctionDescriptor.of(java.lang.foreign.ValueLayout.JAVA_LONG));
        try {
            return (long) handle.invokeExact();
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    private static MemorySegment address(SymbolLookup symbols, String function) {
        return symbols.find(function).orElseThrow(() -> new NativeLibraryException("it has no function " + function));
    }

    private static void check(String function, int status) {
        if (status != 0) {
            throw new NativeLibraryException(function + " returned " + status
                    + (function.startsWith("cu") && status == 34
                            ? ", for it is the toolkit's stub, not a driver"
                            : ""));
        }
    }
}
