package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Opens data sets by name and path. */
public final class Datasets {
    private static final List<String> NAMES = List.of("glyphs", "mnist", "fashion-mnist");

    private Datasets() {}

    /** The names that {@link #open} knows. */
    public static List<String> names() {
        return NAMES;
    }

    /**
     * Opens the training and the test split; the caller closes them.
     *
     * @throws KingfisherException where the name is unknown, the files are not there (saying what was looked for and
     *     where), or they are damaged (naming the file and the byte)
     */
    public static DataSplits open(DataSpec spec) {
        return switch (canonical(spec.name())) {
            case "glyphs" ->
                new DataSplits(
                        new Glyphs(Split.TRAIN, spec.seed(), spec.trainSize()),
                        new Glyphs(Split.TEST, spec.seed(), spec.testSize()),
                        List.of());
            case "mnist" -> IdxDigits.mnist(path(spec), spec.memoryLimit());
            case "fashionmnist" -> IdxDigits.fashionMnist(path(spec), spec.memoryLimit());
            default ->
                throw new KingfisherException(
                        "unknown dataset '%s'; there are %s".formatted(spec.name(), String.join(", ", NAMES)));
        };
    }

    private static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
    }

    private static Path path(DataSpec spec) {
        Path path = spec.path()
                .orElseThrow(() -> new KingfisherException(
                        "dataset %s is read from files: say where they are with --data".formatted(spec.name())));
        if (!Files.exists(path)) {
            throw new KingfisherException(
                    "dataset %s: there is no file or folder %s".formatted(spec.name(), path.toAbsolutePath()));
        }
        return path;
    }
}
