package io.kingfisher.nativebindings;

import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The native libraries that Kingfisher calls, each found and loaded when first asked for.
 *
 * <p>A library is looked for, in this order:
 * <ol>
 * <li>the file that the system property {@code kingfisher.NAME.path} names, for example {@code kingfisher.dnnl.path};
 * <li>the file that the environment variable {@code KINGFISHER_NAME_PATH} names;
 * <li>the jars {@code org.bytedeco:dnnl} and {@code org.bytedeco:openblas} with the platform's classifier, on the class
 *     path or the module path, unpacked once into the {@linkplain LibraryCache cache folder};
 * <li>the folder {@code lib} of the Java runtime, where a runtime image keeps them;
 * <li>the system's search path.
 * </ol>
 * A file named by a property or a variable is used or refused, never passed over.
 */
public final class Libraries {
    private static final NativeLibrary DNNL = new NativeLibrary(LibrarySpec::dnnl, LibraryVersions::dnnl);
    private static final NativeLibrary OPENBLAS = new NativeLibrary(LibrarySpec::openblas, LibraryVersions::openblas);

    private Libraries() {}

    /**
     * Loads oneDNN if it is not loaded yet, and says what was loaded.
     *
     * @throws NativeLibraryException if no usable one is found, or native access is denied
     */
    public static LoadedLibrary dnnl() {
        return DNNL.load();
    }

    /**
     * Loads OpenBLAS (with CBLAS and LAPACKE) if it is not loaded yet, and says what was loaded.
     *
     * @throws NativeLibraryException if no usable one is found, or native access is denied
     */
    public static LoadedLibrary openblas() {
        return OPENBLAS.load();
    }

    /** Returns the libraries loaded so far; loads none. */
    public static List<LoadedLibrary> loaded() {
        return Stream.of(DNNL.loaded(), OPENBLAS.loaded())
                .filter(Objects::nonNull)
                .toList();
    }

    /**
     * Returns the folder for what may be kept between runs, whether it exists or not: what the system property
     * {@code kingfisher.cache} names, else the environment variable {@code KINGFISHER_CACHE}, else {@code kingfisher} in the
     * user's cache folder.
     */
    public static Path cacheFolder() {
        return LibraryCache.root();
    }

    /**
     * Looks for every one of NVIDIA's libraries, and says of each what was found, or which candidates were rejected and what
     * to do; loads those that are usable, and never throws.
     */
    public static List<LibraryReport> cudaReport() {
        return Stream.of(CudaLibrary.values()).map(CudaLibrary::report).toList();
    }

    /**
     * Returns the symbols of a library, which is loaded when the first symbol is looked up; for the generated packages.
     *
     * @param name {@code dnnl}, {@code openblas}, or a {@link CudaLibrary} in lower case
     */
    public static SymbolLookup symbols(String name) {
        return switch (name) {
            case "dnnl" -> DNNL::find;
            case "openblas" -> OPENBLAS::find;
            default ->
                CudaLibrary.of(name)
                                .orElseThrow(
                                        () -> new IllegalArgumentException("there is no native library named " + name))
                        ::find;
        };
    }

    /**
     * Checks that this JVM allows native access.
     *
     * @throws NativeLibraryException naming the flag to add, if it does not
     */
    public static void requireNativeAccess() {
        var module = Libraries.class.getModule();
        if (!module.isNativeAccessEnabled()) {
            throw new NativeLibraryException(
                    "Kingfisher calls native libraries, which this JVM was not told to allow: add --enable-native-access="
                            + (module.isNamed() ? module.getName() : "ALL-UNNAMED") + " to the java command");
        }
    }
}
