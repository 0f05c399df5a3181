package io.kingfisher.nativebindings;

import java.util.List;
import java.util.Optional;

/**
 * What came of looking for a library: what {@code kingfisher doctor} prints.
 *
 * @param name Kingfisher's name for it, such as {@code cublas}
 * @param product what its makers call it, such as cuBLAS
 * @param found what is loaded, with its version, file and origin, if a usable one was found
 * @param rejected the places looked at before it was found, or all of them, each with the reason why it was not used
 * @param advice what to do where none was found, a sentence without its full stop
 */
public record LibraryReport(
        String name, String product, Optional<LoadedLibrary> found, List<String> rejected, String advice) {
    /** Copies the list. */
    public LibraryReport {
        rejected = List.copyOf(rejected);
    }

    /** One line: the library found, or that there is none and what to do. */
    @Override
    public String toString() {
        return found.map(LoadedLibrary::toString).orElseGet(() -> name + " not found: " + advice);
    }
}
