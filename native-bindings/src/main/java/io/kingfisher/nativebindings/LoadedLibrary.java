package io.kingfisher.nativebindings;

import java.nio.file.Path;
import java.util.List;

/**
 * A native library that has been loaded: what {@code kingfisher doctor} prints.
 *
 * @param name Kingfisher's name for it, such as {@code dnnl}, {@code openblas} or {@code cudnn}
 * @param version as the library itself says, such as {@code 3.11.0}
 * @param details what else it says of itself: its build's configuration
 * @param path the file that was loaded
 * @param origin where it was found: a property, an environment variable, a jar, or the system's search path
 * @param dependencies the libraries loaded with it: its OpenMP runtime, compiler runtimes
 * @param rejected the places looked at before, each with the reason why it was not used
 */
public record LoadedLibrary(
        String name,
        String version,
        String details,
        Path path,
        String origin,
        List<Path> dependencies,
        List<String> rejected) {
    /** Copies the lists. */
    public LoadedLibrary {
        dependencies = List.copyOf(dependencies);
        rejected = List.copyOf(rejected);
    }

    @Override
    public String toString() {
        return name + " " + version + " (" + path + ", from " + origin + ")";
    }
}
