package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Opens data sets by name and path. */
public final class Datasets {
    private static final List<String> NAMES =
            List.of("glyphs", "mnist", "fashion-mnist", "cifar10", "cifar100", "images", "text");

    private Datasets() {}

    /**
     * The names that {@link #open} knows. It also takes {@code tinyshakespeare} and {@code wikitext-2}, which are text in
     * folders of that name, and {@code imagefolder} for images.
     */
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
            case "mnist" -> IdxDigits.mnist(path(spec, DataAdvice.MNIST), spec.memoryLimit());
            case "fashionmnist" -> IdxDigits.fashionMnist(path(spec, DataAdvice.FASHION_MNIST), spec.memoryLimit());
            case "cifar10" -> cifar(CifarFiles.Kind.CIFAR10, spec);
            case "cifar100" -> cifar(CifarFiles.Kind.CIFAR100, spec);
            case "images", "imagefolder" ->
                ImageFolders.open(
                        "images",
                        path(spec, DataAdvice.IMAGES),
                        spec.imageSize(),
                        spec.memoryLimit(),
                        Optional.empty());
            case "text" -> TextFiles.open("text", path(spec, DataAdvice.TEXT), List.of(), spec.text());
            case "shakespeare", "tinyshakespeare" ->
                TextFiles.open("tinyshakespeare", path(spec, DataAdvice.TEXT), List.of("tinyshakespeare"), spec.text());
            case "wikitext", "wikitext2" ->
                TextFiles.open("wikitext-2", path(spec, DataAdvice.TEXT), List.of("wikitext-2"), spec.text());
            default ->
                throw new KingfisherException(
                        "unknown dataset '%s'; there are %s".formatted(spec.name(), String.join(", ", NAMES)));
        };
    }

    /** The binary version where its files are there; else the images in a zip or in class folders. */
    private static DataSplits cifar(CifarFiles.Kind kind, DataSpec spec) {
        Path path = path(spec, kind.advice());
        if (Files.isDirectory(path) && CifarFiles.isIn(kind, path)) {
            return CifarFiles.open(kind, path, spec.memoryLimit());
        }
        Optional<Path> images = Files.isRegularFile(path)
                ? Optional.of(path)
                : DataFiles.find(List.of(path), List.of(kind.label + "-images.zip", kind.label + ".zip"));
        if (images.isEmpty() && Files.isDirectory(path.resolve("train"))) {
            images = Optional.of(path);
        }
        Path place = images.orElseThrow(() -> new KingfisherException(
                "dataset %s: looked in %s for the binary version (%s), for a folder train/ with class folders and for %s-images.zip, and found none%s"
                        .formatted(
                                kind.label,
                                path.toAbsolutePath(),
                                String.join(", ", kind.files()),
                                kind.label,
                                kind.hint(path))));
        DataSplits splits = ImageFolders.open(
                kind.label, place, spec.imageSize(), spec.memoryLimit(), Optional.of(kind.statistics));
        if (splits.train().classes() != kind.classes) {
            int found = splits.train().classes();
            splits.close();
            throw new KingfisherException("%s: there are %d class folders, but %s has %d classes"
                    .formatted(place, found, kind.label, kind.classes));
        }
        return splits;
    }

    private static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
    }

    private static Path path(DataSpec spec, DataAdvice advice) {
        Path path = spec.path().orElseThrow(() -> advice.unnamed(spec.name()));
        if (!Files.exists(path)) {
            throw advice.missing(spec.name(), path);
        }
        return path;
    }
}
