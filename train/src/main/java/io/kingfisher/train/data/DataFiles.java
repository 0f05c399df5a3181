package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds a data set's files in the places where people keep them. */
final class DataFiles {
    private DataFiles() {}

    /** The first of some names that exists in the first of some folders that has any. */
    static Optional<Path> find(List<Path> folders, List<String> names) {
        return folders.stream()
                .flatMap(folder -> names.stream().map(folder::resolve))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    /** Like {@link #find}, but what is not found is an error that lists what was looked for and where. */
    static Path require(String dataset, String what, List<Path> folders, List<String> names, DataAdvice advice) {
        return find(folders, names)
                .orElseThrow(() -> new KingfisherException("dataset %s: no %s: looked for %s in %s%s"
                        .formatted(dataset, what, String.join(", ", names), list(folders), advice.origin())));
    }

    /** Folders for an error message. */
    static String list(List<Path> folders) {
        return folders.stream()
                .map(folder -> folder.toAbsolutePath().toString())
                .collect(Collectors.joining(", "));
    }
}
