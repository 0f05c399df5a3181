package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** MNIST and Fashion-MNIST: four IDX files, two for each split. */
final class IdxDigits {
    private static final List<String> DIGITS = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
    private static final List<String> FASHION = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    private IdxDigits() {}

    /** Normalised by the mean 0.1307 and the standard deviation 0.3081 of MNIST's training images. */
    static DataSplits mnist(Path path, long limit) {
        var folders = Stream.of("", "mnist", "MNIST", "raw", "MNIST/raw")
                .map(path::resolve)
                .toList();
        return open("mnist", folders, DIGITS, ChannelStatistics.of(.1307, .3081), limit);
    }

    /** Normalised by the mean 0.2860 and the standard deviation 0.3530 of Fashion-MNIST's training images. */
    static DataSplits fashionMnist(Path path, long limit) {
        var folders = Stream.of("", "fashion-mnist", "fashion_mnist", "raw", "FashionMNIST/raw")
                .map(path::resolve)
                .toList();
        return open("fashion-mnist", folders, FASHION, ChannelStatistics.of(.2860, .3530), limit);
    }

    private static DataSplits open(
            String name, List<Path> folders, List<String> classes, ChannelStatistics statistics, long limit) {
        ImageDataset train = split(name, Split.TRAIN, folders, classes, statistics, limit);
        try {
            ImageDataset test = split(name, Split.TEST, folders, classes, statistics, limit);
            if (test.height() != train.height() || test.width() != train.width()) {
                test.close();
                throw new KingfisherException("dataset %s: the training images are %dx%d and the test images %dx%d"
                        .formatted(name, train.height(), train.width(), test.height(), test.width()));
            }
            return new DataSplits(train, test, List.of());
        } catch (RuntimeException | Error e) {
            train.close();
            throw e;
        }
    }

    private static ImageDataset split(
            String name,
            Split split,
            List<Path> folders,
            List<String> classes,
            ChannelStatistics statistics,
            long limit) {
        String prefix = split == Split.TRAIN ? "train" : "t10k";
        Path imageFile = DataFiles.require(
                name, split.label() + " images", folders, names(prefix + "-images", "idx3-ubyte"), advice(name));
        Path labelFile = DataFiles.require(
                name, split.label() + " labels", folders, names(prefix + "-labels", "idx1-ubyte"), advice(name));
        var arena = Arena.ofShared();
        try {
            IdxFile images = IdxFile.read(imageFile, 3, arena, limit);
            int[] size = images.dimensions();
            MemorySegment labels = labels(labelFile, imageFile, size[0], classes.size(), arena);
            return new MemoryImages(
                    name,
                    split,
                    new MemoryImages.Format(1, size[1], size[2]),
                    classes,
                    statistics,
                    arena,
                    images.values(),
                    labels);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private static DataAdvice advice(String name) {
        return name.equals("mnist") ? DataAdvice.MNIST : DataAdvice.FASHION_MNIST;
    }

    private static MemorySegment labels(Path file, Path imageFile, int count, int classes, Arena arena) {
        try (var temporary = Arena.ofConfined()) {
            IdxFile bytes = IdxFile.read(file, 1, temporary, Integer.MAX_VALUE);
            if (bytes.dimensions()[0] != count) {
                throw new KingfisherException(
                        "%s has %d labels but %s has %d images: these files do not belong together"
                                .formatted(file, bytes.dimensions()[0], imageFile, count));
            }
            MemorySegment labels = arena.allocate((long) count * Integer.BYTES, 64);
            for (int i = 0; i < count; i++) {
                int label = bytes.values().get(ValueLayout.JAVA_BYTE, i) & 0xFF;
                if (label >= classes) {
                    throw new KingfisherException("%s, byte %d: label %d of image %d is outside 0..%d"
                            .formatted(file, 8 + i, label, i, classes - 1));
                }
                labels.setAtIndex(ValueLayout.JAVA_INT, i, label);
            }
            return labels;
        }
    }

    private static List<String> names(String stem, String suffix) {
        return Arrays.asList(
                stem + "-" + suffix + ".gz", stem + "-" + suffix, stem + "." + suffix + ".gz", stem + "." + suffix);
    }
}
