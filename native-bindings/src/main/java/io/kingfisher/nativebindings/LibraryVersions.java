package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Asks a library that was just opened for its version, before anything else of it is called. */
@SuppressWarnings("restricted")
final class LibraryVersions {
    private static final Pattern NUMBER = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?");

    private LibraryVersions() {}

    /** What a library says of itself. */
    record Version(List<Integer> numbers, String details) {
        /** Whether this is at least the given version, and of the same major version. */
        boolean fits(List<Integer> minimum) {
            for (int i = 0; i < minimum.size(); i++) {
                int difference = (i < numbers.size() ? numbers.get(i) : 0) - minimum.get(i);
                if (difference != 0) {
                    return difference > 0 && i > 0;
                }
            }
            return true;
        }

        @Override
        public String toString() {
            return String.join(".", numbers.stream().map(String::valueOf).toList());
        }
    }

    /** {@code const dnnl_version_t *dnnl_version(void)}: three ints, the commit's hash, and two runtimes' numbers. */
    static Version dnnl(SymbolLookup symbols) {
        var version = call(symbols, "dnnl_version").reinterpret(32);
        var numbers = List.of(
                version.get(JAVA_INT, 0),
                version.get(JAVA_INT, Integer.BYTES),
                version.get(JAVA_INT, 2 * Integer.BYTES));
        var hash = version.get(ADDRESS, 16).reinterpret(Long.MAX_VALUE).getString(0);
        var runtime = switch (version.get(JAVA_INT, 24)) {
            case 0 -> "none";
            case 1 -> "sequential";
            case 2 -> "OpenMP";
            case 4 -> "TBB";
            case 8 -> "a thread pool of the caller's";
            default -> "number " + version.get(JAVA_INT, 24);
        };
        return new Version(numbers, "commit " + hash + ", CPU threads by " + runtime);
    }

    /** {@code char *openblas_get_config(void)}: such as "OpenBLAS 0.3.31 DYNAMIC_ARCH NO_AFFINITY Haswell". */
    static Version openblas(SymbolLookup symbols) {
        var config = call(symbols, "openblas_get_config")
                .reinterpret(Long.MAX_VALUE)
                .getString(0)
                .strip();
        var matcher = NUMBER.matcher(config);
        if (!matcher.find()) {
            throw new NativeLibraryException("it says of its version only \"" + config + "\"");
        }
        var numbers = Stream.of(matcher.group(1), matcher.group(2), matcher.group(3))
                .map(group -> group == null ? 0 : Integer.parseInt(group))
                .toList();
        return new Version(numbers, config);
    }

    private static MemorySegment call(SymbolLookup symbols, String function) {
        var address =
                symbols.find(function).orElseThrow(() -> new NativeLibraryException("it has no function " + function));
        var handle = Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(ADDRESS));
        try {
            return (MemorySegment) handle.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(function + " takes nothing and returns a pointer", e);
        }
    }
}
